"""Settings of speech recognition."""

from typing import Any

from pydantic import Field

from workflow_scripts.recipes.base import Positive, Recipe


class Speech(Recipe):
    """Google Cloud Speech-to-Text, version 1.  Credentials are found as Google's programs do (Application Default)."""

    locale: str = Field(
        pattern="^[a-z]{2,3}-[A-Z]{2}$", description="language and region as Google calls them, such as sw-KE"
    )
    model: str = Field(
        "default", min_length=1, description="Google's model: default, latest_short, command_and_search, …"
    )
    endpoint: str | None = Field(
        None, description="host:port of another server that speaks Speech v1 without TLS; null: Google's"
    )
    lowercase: bool = Field(True, description="transcripts in small letters, as SD-QA's")
    max_minutes: float | None = Field(
        ge=0,
        description="most minutes of sound that all jobs with this model may send, whatever the locale; null: no limit",
    )
    price_per_minute: float = Field(0.024, ge=0, description="for the estimate of the cost")
    attempts: Positive = Field(6, description="times that a request is tried while quota or service fail")
    backoff: float = Field(1.0, ge=0, description="seconds before the second attempt; doubled from then on")
    timeout: float = Field(120.0, gt=0, description="seconds that a request may take")

    def settings(self) -> dict[str, Any]:
        """What a transcript depends on besides the locale."""
        return {"kind": "google-speech", "version": "v1", "model": self.model}
