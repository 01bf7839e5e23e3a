"""Tables of the room 'duty'."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the step."""
