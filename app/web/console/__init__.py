"""The operator's console: what needs a person, how the campaigns do, each customer's configuration and embed."""
