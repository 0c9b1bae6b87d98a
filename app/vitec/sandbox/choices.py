"""Vitec's enums, each value with the number that the help pages give beside its name."""

from app.vitec.sandbox.members import Choice


class InterestStatus(Choice):
    """Source: S, numbers H."""

    Interested = 0
    VeryInterested = 1
    Assigned = 2
    NotInterested = 3


class EstateType(Choice):
    """The kind of home the visitor lives in. Source: H."""

    House = 0
    RowHouse = 1
    HousingCooperative = 2
    Cottage = 3
    Plot = 4
    AgricultureProperty = 5
    Tenancy = 6
    OtherHousing = 7
    CommercialProperty = 8
    Condominium = 9


class ObtainThrough(Choice):
    """How the contact was obtained; `Interest` is a web form. Source: S, numbers H."""

    Interest = 0
    Phone = 1
    Visit = 2
    Agreement = 3
    Other = 4
    Email = 5
    NotAsked = 6


class LoanPromiseEstateType(Choice):
    """Source: H."""

    Apartment = 1
    Cottage = 2
    House = 3


class LoanPromiseStatus(Choice):
    """Source: H."""

    AutomaticVerification = 1
    CanNotVerify = 2
    VerifiedByBank = 3
    IsBeingProcessed = 4
    CouldNotBeVerified = 5
    NoLoanPromiseExists = 6
    PreApprovalVerifiedByBank = 7


class Financing(Choice):
    """Source: H."""

    Unknown = 0
    Bank = 1
    Other = 2
