"""What comes in, cleaned. Thin version: the full one follows."""

FIELDS = ["email", "first_name", "last_name", "company", "company_domain", "company_size", "role", "job_title",
          "phone", "country", "industry", "timeline", "source", "campaign", "external_id", "utm_source", "utm_medium",
          "utm_campaign", "utm_term", "utm_content", "occurred_at", "message_id"]  # fmt: skip


class InvalidLead(ValueError):
    """`problems`: a list of (field, problem, remedy)."""

    def __init__(self, problems):
        super().__init__("; ".join(f"{field}: {problem}" for field, problem, _ in problems))
        self.problems = problems


def clean(data, *, strict):
    values = {key: value for key, value in data.items() if key in FIELDS and value not in (None, "")}
    unmapped = {key: value for key, value in data.items() if key not in FIELDS}
    if strict and unmapped:
        raise InvalidLead([(key, "is not a field", "Leave it out.") for key in unmapped])
    if values.get("email"):
        values["email"] = values["email"].strip().casefold()
    return values, unmapped
