"""What marketers write, made ready: one template becomes Liquid for subject, HTML and plain text.

The costly part (MJML, CSS inlining, the text alternative) runs once per template and not once per
mail: Liquid tags are taken out, the layout is made, the tags are put back. Values of leads enter
only when Liquid renders, escaped, and are never looked at again: `{{7*7}}` in a name is text.
"""

import re
import secrets
from dataclasses import dataclass
from functools import lru_cache, wraps

import css_inline
import liquid
from django.template.loader import render_to_string
from inscriptis import get_text
from inscriptis.model.config import ParserConfig
from mjml import mjml2html

LIQUID_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
MJML_TAG = re.compile(r"<\s*(mjml|mj-[a-z0-9-]+)", re.IGNORECASE)
MJML_TAGS = frozenset(
    """mjml mj-head mj-body mj-attributes mj-all mj-class mj-breakpoint mj-font mj-preview mj-style
    mj-title mj-raw mj-section mj-column mj-group mj-wrapper mj-hero mj-text mj-button mj-image
    mj-divider mj-spacer mj-table mj-social mj-social-element mj-navbar mj-navbar-link mj-carousel
    mj-carousel-image mj-accordion mj-accordion-element mj-accordion-title mj-accordion-text
    mj-html-attributes mj-selector mj-html-attribute""".split()
)
LONGEST = 200_000  # characters of a template
MOST_TAGS = 1_000  # of Liquid: one that is never closed is looked for up to the end
DEEPEST = 100  # elements within each other: who makes the layout calls itself for each
LONGEST_VALUE = 20_000  # characters of what a filter takes
LONGEST_PART = 200  # characters of what a filter may put in again and again
LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
ELEMENT = re.compile(r"<(/?)([a-z][a-z0-9-]*)([^<>]*)", re.IGNORECASE)
VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
# Only letters and digits: no layout step changes it, no writer types it.
MARK = "lq" + secrets.token_hex(6)
inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)

FOOTER_ADDRESS = '<p style="margin:0 0 8px">{{ postal_address }}</p>'
FOOTER_UNSUBSCRIBE = (
    '<p style="margin:0"><a href="{{ unsubscribe_url }}" style="color:#4b5563">Unsubscribe</a></p>'
)
FOOTER = (
    '<div style="max-width:600px;margin:24px auto 0;padding:16px 0;border-top:1px solid #d1d5db;'
    'font:13px/1.5 Helvetica,Arial,sans-serif;color:#4b5563">%s</div>'
)


def is_longer(value, most):
    """By its type, as a missing value raises whatever else it is asked."""
    return issubclass(type(value), str | list | tuple) and len(value) > most


class BadTemplate(ValueError):
    """The template cannot be used; the message tells a marketer what to change."""


class Environment(liquid.Environment):
    """Liquid for marketers: no files, no Python objects, and bounds on every kind of work."""

    loop_iteration_limit = 1000
    local_namespace_limit = 20_000
    context_depth_limit = 20
    output_stream_limit = 500_000
    block_nesting_limit = 20

    def setup_tags_and_filters(self, **options):
        super().setup_tags_and_filters(**options)
        self.filters = {name: bounded(name, each) for name, each in self.filters.items()}


def bounded(name, apply):
    """A filter that refuses what would grow beyond bounds before Liquid counts what comes out."""

    @wraps(apply)
    def within(value, *given, **named):
        parts = given if name in ("replace", "join") else ()
        if is_longer(value, LONGEST_VALUE) or any(is_longer(part, LONGEST_PART) for part in parts):
            raise liquid.exceptions.ResourceLimitError(f"{name}: the text is too long", token=None)
        return apply(value, *given, **named)

    return within


NO_FILES = liquid.DictLoader({})
AS_HTML = Environment(autoescape=True, undefined=liquid.StrictDefaultUndefined, loader=NO_FILES)
AS_TEXT = Environment(autoescape=False, undefined=liquid.StrictDefaultUndefined, loader=NO_FILES)


@dataclass(frozen=True)
class Letter:
    """A compiled template. `render(values)` → (subject, html, text); raises BadTemplate."""

    name: str
    subject: liquid.BoundTemplate
    html: liquid.BoundTemplate
    text: liquid.BoundTemplate

    def render(self, values):
        try:
            return (
                self.subject.render(values),
                str(self.html.render(values)),
                self.text.render(values),
            )
        except liquid.exceptions.LiquidError as error:
            raise BadTemplate(f"Template “{self.name}”: {in_words(error)}") from error
        except (ArithmeticError, TypeError, ValueError) as error:  # such as rounding what is no number
            raise BadTemplate(f"Template “{self.name}”: a value cannot be computed: {error}.") from error


def compiled(template):
    """The Letter of an EmailTemplate; compiled once per wording. Raises BadTemplate."""
    return _compiled(template.name, template.subject, template.body)


@lru_cache(maxsize=256)
def _compiled(name, subject, body):
    try:
        check_bounds(subject, body)
        html, text = layout(subject, body)
        return Letter(
            name, AS_TEXT.from_string(subject), AS_HTML.from_string(html), AS_TEXT.from_string(text)
        )
    except liquid.exceptions.LiquidError as error:
        raise BadTemplate(f"Template “{name}”: {in_words(error)}") from error
    except BadTemplate as error:
        raise BadTemplate(f"Template “{name}”: {error}") from error


def check_bounds(subject, body):
    """Refuse what is too much to look at. Ranges are: Liquid makes the whole of one for some filters, however long."""
    if len(body) > LONGEST:
        raise BadTemplate(f"It is longer than {LONGEST:,} characters. Shorten it.")
    if body.count("{{") + body.count("{%") > MOST_TAGS:
        raise BadTemplate(f"It has more than {MOST_TAGS:,} Liquid tags. Remove some.")
    if any(".." in LITERAL.sub("", tag) for tag in LIQUID_TAG.findall(f"{subject} {body}")):
        raise BadTemplate("Ranges such as (1..5) cannot be used. Write out what is repeated.")


def layout(subject, body):
    """→ (html, text), both still with their Liquid tags, footer included."""
    tags = []

    def take_out(match):
        tags.append(match.group())
        return f"{MARK}x{len(tags) - 1}x"

    def put_back(text):
        return re.sub(rf"{MARK}x(\d+)x", lambda match: tags[int(match.group(1))], text)

    bare = LIQUID_TAG.sub(take_out, body.replace("\0", ""))
    is_mjml = bare.lstrip().lower().startswith("<mjml")
    if is_mjml:
        html = from_mjml(bare)
        text = without_blank_ends(get_text(html, ParserConfig(display_links=True)))
    else:
        title = " ".join(LIQUID_TAG.sub("", subject).split())
        html = inliner.inline(render_to_string("nurturing/letter.html", {"subject": title, "text": bare}))
        text = bare.strip()
    return with_footer(put_back(html), put_back(text), written=body)


def from_mjml(source):
    unknown = sorted({tag.lower() for tag in MJML_TAG.findall(source)} - MJML_TAGS)
    if unknown:
        raise BadTemplate(f"<{unknown[0]}> is not an MJML tag that can be used here. Remove or correct it.")
    if depth_of(source) > DEEPEST:
        raise BadTemplate(f"Its elements lie more than {DEEPEST} deep within each other. Take some away.")
    if re.search(r"<\s*(script|iframe|object|embed|form)\b", source, re.IGNORECASE):
        raise BadTemplate("Mail cannot contain scripts, frames or forms. Remove them.")
    try:
        return inliner.inline(mjml2html(source, fonts={}))
    except ValueError as error:
        raise BadTemplate(f"The MJML cannot be read: {error}. Check that every tag is closed.") from error


def depth_of(source):
    """How deep elements lie within each other, at most."""
    depth = deepest = 0
    for closes, name, rest in ELEMENT.findall(source):
        if name.lower() not in VOID and not rest.endswith("/"):
            depth += -1 if closes else 1
            deepest = max(deepest, depth)
    return deepest


def with_footer(html, text, *, written):
    """No marketing mail without sender's address and a way out, whatever the template forgot."""
    parts, lines = [], []
    if "postal_address" not in written:
        parts.append(FOOTER_ADDRESS)
        lines.append("{{ postal_address }}")
    if "unsubscribe_url" not in written:
        parts.append(FOOTER_UNSUBSCRIBE)
        lines.append("Unsubscribe: {{ unsubscribe_url }}")
    if not parts:
        return html, text
    before, end, after = html.rpartition("</body>")
    return before + FOOTER % "".join(parts) + end + after, text + "\n\n-- \n" + "\n".join(lines)


def without_blank_ends(text):
    """Lines without trailing blanks, never more than one empty line."""
    lines = "\n".join(line.strip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def in_words(error):
    """A Liquid error as a marketer reads it: what and where."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, liquid.exceptions.UndefinedError):
        return f"{text}. Use one of the fields listed beside the editor, or add “| default: '…'”."
    if isinstance(error, liquid.exceptions.ResourceLimitError):
        return f"{text}. The template does too much; remove the loop."
    return f"{text}."
