"""What a database without the demo begins with: one published default program, so nobody is in limbo.

Takes the model classes, so that the migration can pass its historical ones.
"""

WELCOME = """Hello {{ lead.first_name | default: "and welcome" }},

thank you for your interest. You will hear from us now and then, when we have something that is worth your time.

If a question is burning already, just reply to this mail: a person reads it.
"""
CHECK_IN = """Hello {{ lead.first_name | default: "again" }},

a week ago we said hello. What would help {{ company.name | default: "your company" }} most at the moment?

A short reply is enough, and we send what fits.
"""
TEMPLATES = [
    ("nurture-welcome", "General nurture: welcome", "Good to have you here", WELCOME),
    ("nurture-check-in", "General nurture: check-in", "What would help you most?", CHECK_IN),
]
DAY = 24  # hours
STEPS = [
    {"kind": "mail", "template": "nurture-welcome"},
    {"kind": "wait", "wait_hours": 7 * DAY},
    {"kind": "mail", "template": "nurture-check-in"},
    {"kind": "wait", "wait_hours": 30 * DAY},
    {
        "kind": "call_task",
        "instruction": "Ask what has changed since, and whether a talk with sales would help",
    },
]


def create_starter_program(*, templates, programs, versions, steps, at):
    """Make the default program "General nurture" unless there is a default one already."""
    if programs.objects.filter(is_default=True).exists():
        return
    made = {
        slug: templates.objects.get_or_create(
            slug=slug, defaults={"name": name, "subject": subject, "body": body}
        )[0]
        for slug, name, subject, body in TEMPLATES
    }
    program = programs.objects.create(
        name="General nurture", slug="general-nurture", is_default=True, position=1000
    )
    version = versions.objects.create(program=program, number=1, status="published", published_at=at)
    for position, step in enumerate(STEPS, start=1):
        values = step | {"template": made[step["template"]] if "template" in step else None}
        steps.objects.create(version=version, position=position, **values)
    program.current_version = version
    program.save(update_fields=["current_version"])
