"""How the API describes its errors: one shape for all of them."""

from rest_framework import serializers


class ErrorItemSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField(help_text="What is wrong, and what to do")
    attr = serializers.CharField(allow_null=True, help_text="The field, where it is one")


class ErrorSerializer(serializers.Serializer):
    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorItemSerializer(many=True)  # type: ignore[assignment]
