"""Lists of any length: newest first, page after page by position, never by offset."""

import base64
import binascii
import json
from datetime import datetime

from django.db.models import Q
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

EXACT_TO = 10_000
PAGE = 50
LARGEST_PAGE = 200


class NewestFirst(BasePagination):
    """`{count, next, previous, results}`; `next` and `previous` are addresses with an opaque `cursor`.

    A cursor is the position (moment, id) of the row at the edge of a page, so rows that arrive meanwhile shift nothing.
    """

    moment = "created_at"
    parameters = ("cursor", "page_size")

    def paginate_queryset(self, queryset, request, view=None):
        self.url = request.build_absolute_uri()
        size = page_size(request.query_params.get("page_size"))
        older, position = read_cursor(request.query_params.get("cursor"))
        self.count, self.is_estimate = count(queryset)
        sign = "-" if older else ""
        if position:
            queryset = queryset.filter(self._beyond(older, *position))
        rows = list(queryset.order_by(f"{sign}{self.moment}", f"{sign}id")[: size + 1])
        has_more = len(rows) > size
        rows = rows[:size]
        if not older:
            rows.reverse()
        self.next = self._link(rows, -1, older=True) if (has_more if older else True) else None
        self.previous = self._link(rows, 0, older=False) if (bool(position) if older else has_more) else None
        return rows

    def _beyond(self, older, moment, pk):
        """One bound that the index can seek to, and the tie-break behind it."""
        side = "lt" if older else "gt"
        return Q(**{f"{self.moment}__{side}e": moment}) & (
            Q(**{f"{self.moment}__{side}": moment}) | Q(**{f"id__{side}": pk})
        )

    def _link(self, rows, edge, *, older):
        if not rows:
            return None if older else remove_query_param(self.url, "cursor")
        row = rows[edge]
        return replace_query_param(self.url, "cursor", write_cursor(older, getattr(row, self.moment), row.pk))

    def get_paginated_response(self, data):
        body = {"count": self.count}
        if self.is_estimate:
            body["count_estimated"] = True
        return Response(body | {"next": self.next, "previous": self.previous, "results": data})

    def get_paginated_response_schema(self, schema):
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": f"Exact to {EXACT_TO:,}, then an estimate"},
                "count_estimated": {
                    "type": "boolean",
                    "description": "Present and true when `count` is an estimate",
                },
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view):
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "description": "Position, from `next` or `previous`",
                "schema": {"type": "string"},
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": f"Rows per page; more than {LARGEST_PAGE} is taken as {LARGEST_PAGE}",
                "schema": {"type": "integer", "minimum": 1, "default": PAGE},
            },
        ]


def page_size(text):
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise ValidationError({"page_size": [f"Send a whole number from 1 to {LARGEST_PAGE}."]})
    return min(int(text), LARGEST_PAGE)


def count(queryset):
    """(number, whether it is an estimate): counting stops at 10,000, then the planner's guess stands in."""
    rows = queryset.order_by().values("pk")
    exact = rows[: EXACT_TO + 1].count()
    if exact <= EXACT_TO:
        return exact, False
    plan = json.loads(rows.explain(format="json"))
    return max(exact, int(plan[0]["Plan"]["Plan Rows"])), True


def write_cursor(older, moment, pk):
    text = f"{'o' if older else 'n'} {moment.isoformat()} {pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text):
    """(towards older rows?, (moment, id) or None). Raises ValidationError."""
    if text is None:
        return True, None
    try:
        side, moment, pk = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split(" ")
        moment = datetime.fromisoformat(moment)
        if side not in ("o", "n") or moment.tzinfo is None or not 0 <= int(pk) < 2**63:
            raise ValueError
    except (ValueError, binascii.Error, OverflowError):
        raise ValidationError(
            {"cursor": ["Unknown cursor. Take it from `next` or `previous`, or leave it out."]}
        ) from None
    return side == "o", (moment, int(pk))
