// The types of Intresse's embed: its element, its attributes and its events. How to use it: docs/embedding.md
// A script's declarations, not a module's: put the file where your tsconfig.json finds it, and import nothing.

declare namespace Intresse {
  type Form = "interest" | "viewing" | "valuation" | "final-price";

  /** Of `<intresse-form>`; a `<div>` has them with `data-`, and `data-intresse` for `form`. */
  interface Attributes {
    form: Form;
    /** The customer's id. */
    customer: string;
    /** The home's id. */
    estate?: string | undefined;
    viewing?: string | undefined;
    /** The id of the preselected time. */
    slot?: string | undefined;
    /** All times: `timeSlotId@start/end`, separated by commas. */
    slots?: string | undefined;
    /** The home's name, as plain text of at most 80 characters. */
    title?: string | undefined;
    /** `sv` or `en`. */
    lang?: string | undefined;
    theme?: "light" | "dark" | "auto" | undefined;
    /** Keeps the visit's first tags in sessionStorage: needs the visitor's consent. */
    remember?: "session" | undefined;
    [tag: `utm-${string}`]: string | undefined;
  }

  interface Ready {
    form: Form;
  }
  interface Height {
    form: Form;
    /** In pixels. */
    height: number;
  }
  interface Submitted {
    form: Form;
    /** What the visitor quotes over the phone, such as `4F7K9QXW`. */
    reference: string;
    /** `pending` until the CRM has answered. */
    status: "pending" | "delivered" | "rejected" | "failed" | "uncertain";
  }
  interface Failed {
    /** As the element says it, also where there is no such form. */
    form: Form | (string & {}) | undefined;
    /** `form` is the visitor's own: something to correct. */
    reason: "form" | "attributes" | "customer" | "origin" | "no-origin" | "csp" | "blocked";
  }
}

// The maps of document, window and elements all extend this one: the events bubble.
interface GlobalEventHandlersEventMap {
  "intresse:ready": CustomEvent<Intresse.Ready>;
  "intresse:height": CustomEvent<Intresse.Height>;
  "intresse:submitted": CustomEvent<Intresse.Submitted>;
  "intresse:error": CustomEvent<Intresse.Failed>;
}

interface HTMLElementTagNameMap {
  "intresse-form": HTMLElement;
}

interface Window {
  /** Unless the page has a variable of that name. */
  readonly intresse?: { scan(): void };
}
