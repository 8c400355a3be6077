import re

from marshmallow import RAISE, Schema, ValidationError, fields, validate


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
        validate=validate.Regexp(r"[A-Za-z0-9._~+/-]{1,20000}=*\Z"),
        metadata={"description": "For a provider that tells addresses at its userinfo endpoint."},
    )
    label = fields.String(
        load_default="",
        validate=[validate.Length(max=100), storable],
        metadata={"description": "By which the token is known in the list, as the name of the device."},
    )
