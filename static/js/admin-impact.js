// What a rule changes, asked anew whenever the rule is edited. The answer is rendered by the server.

const WAIT = 500;

class Impact {
  constructor(root) {
    this.root = root;
    this.result = root.querySelector("[data-impact-result]");
    this.form = document.querySelector("#rule_form");
    this.try = root.querySelector("[data-try]");
    this.brief = this.briefly();
    for (const kind of ["input", "change"]) this.form.addEventListener(kind, () => this.ask());
    this.form.addEventListener("condition", () => this.ask()); // the condition builder writes by script
    this.try.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(0, true);
    });
    this.ask(0);
  }

  // The gist beside the buttons, in sight while the rule is written further up; a link to the whole of it. Not announced:
  // the whole is.
  briefly() {
    const brief = document.createElement("a");
    brief.className = "impact-brief";
    brief.href = `#${this.root.querySelector("h2").id}`;
    const buttons = document.querySelector("#submit-row .container");
    buttons?.insertBefore(brief, buttons.querySelector(":scope > div")); // what deletes stands apart
    return brief;
  }

  ask(wait = WAIT, isTried = false) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(isTried), wait);
  }

  async fetch(isTried) {
    this.asking?.abort();
    this.asking = new AbortController();
    const body = new FormData(this.form);
    body.set("try", this.try.elements.lead.value);
    this.result.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(this.root.dataset.impact, { method: "POST", body, signal: this.asking.signal });
      if (!response.ok) throw new Error(response.status);
      this.result.innerHTML = await response.text();
      this.brief.textContent = this.result.querySelector("[data-brief]")?.dataset.brief ?? "";
      if (isTried) this.result.querySelector(".impact-tried")?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      if (error.name === "AbortError") return;
      this.result.textContent = "What the rule changes cannot be reached now; what you typed is kept.";
    }
    this.result.removeAttribute("aria-busy");
  }
}

for (const root of document.querySelectorAll("[data-impact]")) new Impact(root);
