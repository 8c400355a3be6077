import re

from marshmallow import RAISE, Schema, ValidationError, fields, validate

TOKEN68 = "[A-Za-z0-9._~+/-]+=*"


class UserSchema(Schema):
    id = fields.Integer(required=True, metadata={"format": "int64"})
    email = fields.Email(required=True)
    name = fields.String(required=True)
    picture = fields.Url(required=True, allow_none=True)
    signed_in_at = fields.AwareDateTime(required=True)


class ApiTokenSchema(Schema):
    id = fields.Integer(required=True, metadata={"format": "int64"})
    label = fields.String(required=True)
    created_at = fields.AwareDateTime(required=True)
    expires_at = fields.AwareDateTime(required=True)


class NewApiTokenSchema(ApiTokenSchema):
    token = fields.String(required=True, metadata={"description": "Shown this once."})
    user = fields.Nested(UserSchema, required=True)


class ApiTokensSchema(Schema):
    items = fields.List(fields.Nested(ApiTokenSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "Always null."})


def token68(text: str) -> None:
    """Refuse what is no token of https://www.rfc-editor.org/rfc/rfc6750#section-2.1"""
    if not re.fullmatch(TOKEN68, text):
        raise ValidationError("Not an access token.")


def storable(text: str) -> None:
    """Refuse text that Postgres cannot store: with a NUL character or a lone surrogate."""
    if re.search("[\0\ud800-\udfff]", text):
        raise ValidationError("Not storable text.")


class IdTokenSchema(Schema):
    class Meta:
        unknown = RAISE

    id_token = fields.String(required=True, validate=validate.Length(1, 20_000))
    nonce = fields.String(
        validate=[validate.Length(1, 500), storable],
        metadata={"description": "What the app put into its request for the ID token, if it did."},
    )
    access_token = fields.String(
        validate=[validate.Length(1, 20_000), token68],
        metadata={
            "description": "For a provider that tells addresses at its userinfo endpoint.",
            "pattern": f"^{TOKEN68}$",
        },
    )
    label = fields.String(
        load_default="",
        validate=[validate.Length(max=100), storable],
        metadata={"description": "By which the token is known in the list, as the name of the device."},
    )
