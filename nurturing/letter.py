"""What marketers write, made ready: one template becomes Liquid for subject, HTML and plain text.

The costly part (MJML, CSS inlining, the text alternative) runs once per template and not once per
mail: Liquid tags are taken out, the layout is made, the tags are put back. Values of leads enter
only when Liquid renders, escaped, and are never looked at again: `{{7*7}}` in a name is text.
"""

import re
import secrets
from dataclasses import dataclass
from functools import lru_cache

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


class BadTemplate(ValueError):
    """The template cannot be used; the message tells a marketer what to change."""


class Environment(liquid.Environment):
    """Liquid for marketers: no files, no Python objects, and bounds on every kind of work."""

    loop_iteration_limit = 1000
    local_namespace_limit = 20_000
    context_depth_limit = 20
    output_stream_limit = 500_000
    block_nesting_limit = 20


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


def compiled(template):
    """The Letter of an EmailTemplate; compiled once per wording. Raises BadTemplate."""
    return _compiled(template.name, template.subject, template.body)


@lru_cache(maxsize=256)
def _compiled(name, subject, body):
    try:
        html, text = layout(subject, body)
        return Letter(
            name, AS_TEXT.from_string(subject), AS_HTML.from_string(html), AS_TEXT.from_string(text)
        )
    except liquid.exceptions.LiquidError as error:
        raise BadTemplate(f"Template “{name}”: {in_words(error)}") from error
    except BadTemplate as error:
        raise BadTemplate(f"Template “{name}”: {error}") from error


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
    if re.search(r"<\s*(script|iframe|object|embed|form)\b", source, re.IGNORECASE):
        raise BadTemplate("Mail cannot contain scripts, frames or forms. Remove them.")
    try:
        return inliner.inline(mjml2html(source, fonts={}))
    except ValueError as error:
        raise BadTemplate(f"The MJML cannot be read: {error}. Check that every tag is closed.") from error


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
