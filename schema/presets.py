"""The presets that say how renditions are made: data, with versions, changed in the background."""

from __future__ import annotations

from typing import Annotated, Any

import strawberry

from domain import asking, presets
from domain.channels import Channel
from domain.global_ids import encode, number_of
from domain.recipes import Colour, Fit, Format
from domain.refusals import NotFound
from domain.statements import MetadataPolicy
from domain.work import Work
from schema.context import Context
from schema.errors import MutationError
from schema.fields import field, mutation
from schema.hub import Job
from schema.mapped import TABLES, GlobalId, Table, column
from schema.mutating import Answer, run
from schema.node import KINDS, Kind, Node
from schema.scalars import Instant, Json
from storage.tables import RenditionPresetRow, RenditionPresetVersionRow

for _enum, _name, _description in (
    (
        MetadataPolicy,
        "MetadataPolicy",
        "How much is written into a rendition of whose it is; never where it was taken.",
    ),
    (Channel, "RenditionChannel", "What a set of presets is for."),
):
    strawberry.enum(_enum, name=_name, description=_description)


def wished(description: str) -> Any:
    """A field of an input that may be left out."""
    return strawberry.field(default=None, description=description)


@strawberry.type(description="What a preset made from one change to the next.")
class RenditionPresetVersion:
    number: int = strawberry.field(description="Counted from 1.")
    made_at: Instant = strawberry.field(description="Since when.")
    recipe: Json = strawberry.field(description="What it asked for: the preset's own fields by their names.")

    @classmethod
    def of(cls, row: RenditionPresetVersionRow) -> RenditionPresetVersion:
        return cls(number=row.number, made_at=row.made_at, recipe=Json(row.recipe))


@strawberry.type(description="A way to make renditions, by name.")
class RenditionPreset(Node):
    row: strawberry.Private[RenditionPresetRow]
    id: strawberry.ID = column(GlobalId("RenditionPreset", RenditionPresetRow.id))
    name: str = column(RenditionPresetRow.name)
    format: Format = column(RenditionPresetRow.format)
    width: int = column(RenditionPresetRow.width, "Width of the box, in pixels.")
    height: int = column(RenditionPresetRow.height, "Height of the box, in pixels.")
    fit: Fit = column(RenditionPresetRow.fit)
    quality: int = column(RenditionPresetRow.quality, "1 to 100.")
    background: str = column(
        RenditionPresetRow.background,
        "What stands behind transparency where the format has none, and around a padded picture: #rrggbb.",
    )
    is_default: bool = column(RenditionPresetRow.is_default, "Made for every version without being asked.")
    colour: Colour = column(RenditionPresetRow.colour, "The colours it is made in.")
    profile: str | None = column(
        RenditionPresetRow.profile, "The press profile that CMYK is made with; null: FOGRA39L."
    )
    proof: str | None = column(RenditionPresetRow.proof, "The press whose print the picture imitates on the screen.")
    page: int = column(RenditionPresetRow.page, "Which page is shown, from 0.")
    at_seconds: float = column(RenditionPresetRow.at_seconds, "Which moment of a film is shown.")
    animated: bool = column(RenditionPresetRow.is_animated, "Whether all frames are kept where the format holds them.")
    clip_seconds: int = column(
        RenditionPresetRow.clip_seconds,
        "How many seconds of a film are kept in motion; 0: all of it, of animations ten.",
    )
    dpi: int = column(
        RenditionPresetRow.dpi,
        "The resolution that is written down, and by which a PDF's page is sized; 0: none.",
    )
    metadata: MetadataPolicy = column(RenditionPresetRow.metadata_policy, "How much is written into it of whose it is.")
    watermark: str | None = column(
        RenditionPresetRow.watermark,
        "What stands across it for those without the permission `asset.view_unmarked`, while the version is not "
        "approved or after the asset's last day of use.",
    )
    channel: Channel | None = column(RenditionPresetRow.channel, "What the set it belongs to is for.")
    archived: bool = column(RenditionPresetRow.archived_at.is_not(None))
    revision: int = column(RenditionPresetRow.revision)

    @classmethod
    def of(cls, row: RenditionPresetRow) -> RenditionPreset:
        return cls(
            row=row,
            id=strawberry.ID(encode("RenditionPreset", row.id)),
            name=row.name,
            format=Format[row.format],
            width=row.width,
            height=row.height,
            fit=Fit[row.fit],
            quality=row.quality,
            background=row.background,
            is_default=row.is_default,
            colour=Colour[row.colour],
            profile=row.profile,
            proof=row.proof,
            page=row.page,
            at_seconds=row.at_seconds,
            animated=row.is_animated,
            clip_seconds=row.clip_seconds,
            dpi=row.dpi,
            metadata=MetadataPolicy[row.metadata_policy],
            watermark=row.watermark,
            channel=None if row.channel is None else Channel(row.channel),
            archived=row.archived_at is not None,
            revision=row.revision,
        )

    @field("Its versions, the newest first.", size=100)
    async def versions(self, info: strawberry.Info[Context]) -> list[RenditionPresetVersion]:
        rows = await info.context.load(presets.versions, self.row.id) or []
        return [RenditionPresetVersion.of(row) for row in rows]


@strawberry.type(description="How far a preset has come in the store, by versions of assets.")
class RenditionRollout:
    ready: int = strawberry.field(description="Have it as it is now.")
    waiting: int = strawberry.field(description="Wait for it or are at it.")
    failed: int = strawberry.field(description="Could not be made.")
    outdated: int = strawberry.field(description="Are to have it and lack it as it is now: they show what they had.")


@strawberry.type(description="What a change of a preset would do; nothing was written.")
class RenditionPresetForesight:
    affected: int = strawberry.field(description="Versions of which it would be made anew.")
    renders: bool = strawberry.field(description="Whether it makes something else, or something at all, afterwards.")


@strawberry.input(description="A new preset.")
class RenditionPresetCreateInput:
    name: str
    format: Format
    width: int
    height: int
    fit: Fit = Fit.CONTAIN
    quality: int | None = None
    background: str | None = None
    is_default: bool = False
    colour: Colour | None = wished("The colours it is made in; CMYK where the format holds it.")
    profile: str | None = wished('The press profile of CMYK; "" for the usual one.')
    proof: str | None = wished('The press that the picture imitates on the screen; "" for none.')
    watermark: str | None = wished('What stands across it for those who may not see it bare; "" for nothing.')
    page: int | None = wished("Which page is shown, from 0.")
    at_seconds: float | None = wished("Which moment of a film is shown.")
    animated: bool | None = wished("Whether all frames are kept where the format holds them.")
    clip_seconds: int | None = wished("How many seconds of a film are kept in motion; 0 for all of it.")
    dpi: int | None = wished("The resolution to write down; 0 for none.")
    metadata: MetadataPolicy | None = wished("How much is written into it of whose it is.")
    channel: Channel | None = wished("What the set it belongs to is for.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="Changes to a preset; what is left out stays.")
class RenditionPresetUpdateInput:
    preset: strawberry.ID
    expected_revision: int
    name: str | None = None
    format: Format | None = None
    width: int | None = None
    height: int | None = None
    fit: Fit | None = None
    quality: int | None = None
    background: str | None = None
    is_default: bool | None = None
    colour: Colour | None = wished("The colours it is made in; CMYK where the format holds it.")
    profile: str | None = wished('The press profile of CMYK; "" for the usual one.')
    proof: str | None = wished('The press that the picture imitates on the screen; "" for none.')
    watermark: str | None = wished('What stands across it for those who may not see it bare; "" for nothing.')
    page: int | None = wished("Which page is shown, from 0.")
    at_seconds: float | None = wished("Which moment of a film is shown.")
    animated: bool | None = wished("Whether all frames are kept where the format holds them.")
    clip_seconds: int | None = wished("How many seconds of a film are kept in motion; 0 for all of it.")
    dpi: int | None = wished("The resolution to write down; 0 for none.")
    metadata: MetadataPolicy | None = wished("How much is written into it of whose it is.")
    channel: Channel | None = wished("What the set it belongs to is for.")
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The version that a preset goes back to.")
class RenditionPresetRevertInput:
    preset: strawberry.ID
    number: int = strawberry.field(description="The version's number.")
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.input(description="The preset to archive.")
class RenditionPresetArchiveInput:
    preset: strawberry.ID
    expected_revision: int
    idempotency_key: str | None = None
    client_mutation_id: str | None = None


@strawberry.type(description="`preset` is null exactly when `errors` is not empty.")
class RenditionPresetPayload:
    preset: RenditionPreset | None
    errors: list[MutationError]
    client_mutation_id: str | None = None
    rollout_job: Job | None = strawberry.field(
        default=None,
        description="What asks for it to be made anew, with its progress; null where there is nothing to do, or for "
        "those who may not look at jobs.",
    )


@strawberry.type
class PresetQueries:
    @field("All living presets, oldest first, or those of one channel.")
    def rendition_presets(
        self,
        info: strawberry.Info[Context],
        channel: Annotated[Channel | None, strawberry.argument(description="Only presets of this set.")] = None,
    ) -> list[RenditionPreset]:
        return [RenditionPreset.of(row) for row in presets.all_of(info.context.work, channel)]

    @field("What `renditionPresetUpdate` would do with the same input: a dry run.", weight=50)
    def rendition_preset_foresee(
        self, info: strawberry.Info[Context], input: RenditionPresetUpdateInput
    ) -> RenditionPresetForesight:
        number = number_of("RenditionPreset", input.preset, ("preset",))
        seen = presets.foresee(info.context.work, number, _wish(input), input.expected_revision)
        return RenditionPresetForesight(affected=seen or 0, renders=seen is not None)

    @field("How far the present version of a preset has come.", weight=50)
    def rendition_preset_rollout(
        self,
        info: strawberry.Info[Context],
        preset: Annotated[strawberry.ID, strawberry.argument(description="The preset's id.")],
    ) -> RenditionRollout:
        number = number_of("RenditionPreset", preset, ("preset",))
        row = presets.by_id(info.context.work, [number]).get(number)
        if row is None:
            raise NotFound("There is no rendition preset with this id.", ("preset",))
        come = presets.rollout(info.context.work, row)
        return RenditionRollout(ready=come.ready, waiting=come.waiting, failed=come.failed, outdated=come.outdated)


@strawberry.type
class PresetMutations:
    @mutation("Makes a preset; a default one is made for every current version, in the background.")
    def rendition_preset_create(
        self,
        info: strawberry.Info[Context],
        input: RenditionPresetCreateInput,
    ) -> RenditionPresetPayload:
        return run(info, input, RenditionPresetPayload, lambda work: _preset(presets.create(work, _wish(input))))

    @mutation("Changes a preset; what it made before is made anew in the background, and stays until the new is there.")
    def rendition_preset_update(
        self,
        info: strawberry.Info[Context],
        input: RenditionPresetUpdateInput,
    ) -> RenditionPresetPayload:
        def act(work: Work) -> Answer:
            number = number_of("RenditionPreset", input.preset, ("preset",))
            return _changed(work, presets.update(work, number, _wish(input), input.expected_revision))

        return run(info, input, RenditionPresetPayload, act)

    @mutation("Makes a preset what it was in one of its versions, as a new version; its name stays.")
    def rendition_preset_revert(
        self,
        info: strawberry.Info[Context],
        input: RenditionPresetRevertInput,
    ) -> RenditionPresetPayload:
        def act(work: Work) -> Answer:
            number = number_of("RenditionPreset", input.preset, ("preset",))
            return _changed(work, presets.revert(work, number, input.number, input.expected_revision))

        return run(info, input, RenditionPresetPayload, act)

    @mutation("Puts a preset away: nothing more is made by it.")
    def rendition_preset_archive(
        self,
        info: strawberry.Info[Context],
        input: RenditionPresetArchiveInput,
    ) -> RenditionPresetPayload:
        def act(work: Work) -> Answer:
            number = number_of("RenditionPreset", input.preset, ("preset",))
            return _preset(presets.archive(work, number, input.expected_revision))

        return run(info, input, RenditionPresetPayload, act)


def _preset(row: RenditionPresetRow) -> Answer:
    return {"preset": ("RenditionPreset", row.id)}


def _changed(work: Work, changed: presets.Changed) -> Answer:
    jobs = [] if changed.job_id is None else list(asking.jobs_by_id(work, [changed.job_id]))
    return {"preset": ("RenditionPreset", changed.preset.id), "rollout_job": ("Job", jobs[0]) if jobs else None}


def _wish(wanted: RenditionPresetCreateInput | RenditionPresetUpdateInput) -> presets.Wish:
    return presets.Wish(
        name=wanted.name,
        format=wanted.format,
        width=wanted.width,
        height=wanted.height,
        fit=wanted.fit,
        quality=wanted.quality,
        background=wanted.background,
        is_default=wanted.is_default,
        colour=wanted.colour,
        profile=wanted.profile,
        proof=wanted.proof,
        watermark=wanted.watermark,
        page=wanted.page,
        at_seconds=wanted.at_seconds,
        animated=wanted.animated,
        clip_seconds=wanted.clip_seconds,
        dpi=wanted.dpi,
        metadata=wanted.metadata,
        channel=wanted.channel,
    )


KINDS["RenditionPreset"] = Kind(presets.by_id, RenditionPreset.of)
TABLES["RenditionPreset"] = Table(presets.BY_ID, RenditionPresetRow.id)
