"""Who is answered what beside GraphQL: uploads and addresses of files, by status."""

from __future__ import annotations

from typing import Final

ACTORS: Final = ("anonymous", "guest", "partner", "agency", "designer", "admin")

#: Uploads belong to whoever began them; their addresses are no keys. 401: sign in; 403: may bring nothing; 404: as if
#: it were not there. `own` ones were begun by the actor, if need be when they still might; `others'` by a designer.
UPLOADS: Final[dict[str, str]] = {
    # guest: to look at a lightbox. partner: of another affiliate. agency, designer: bring files at home.
    #                   anonymous guest partner agency designer admin
    "POST": "401 403 403 201 201 201",
    "HEAD own": "401 200 200 200 200 200",
    "PATCH own": "401 204 204 204 204 204",
    "DELETE own": "401 204 204 204 204 204",
    "HEAD others'": "401 404 404 404 404 404",
    "PATCH others'": "401 404 404 404 404 404",
    "DELETE others'": "401 404 404 404 404 404",
    "HEAD made up": "401 404 404 404 404 404",
    "PATCH made up": "401 404 404 404 404 404",
    "DELETE made up": "401 404 404 404 404 404",
    "OPTIONS": "204 204 204 204 204 204",  # public on purpose: what this server can do, and nothing about anything
}

#: An address is a key: it opens for whoever has it what it was signed for, whoever they are, with or without a token.
ADDRESSES: Final[dict[str, str]] = {
    "/files: an original": "200 200 200 200 200 200",  # public on purpose, until whoever it was made for may not see it
    "/files: a rendition of a draft": "200 200 200 200 200 200",  # public on purpose, likewise
    "/files: a rendition of what is approved": "200 200 200 200 200 200",  # public on purpose, likewise
    "/files: of somebody who was shut out": "404 404 404 404 404 404",
    "/files: of somebody to whom it was denied since": "404 404 404 404 404 404",
    "/files: by a token that was revoked": "404 404 404 404 404 404",
    "/files: by a token for other networks": "404 404 404 404 404 404",
    "/files: given to a partner": "200 200 200 200 200 200",  # public on purpose, while it is licensed
    "/files: given to a partner, and not licensed any more": "451 451 451 451 451 451",
    "/files: made up": "404 404 404 404 404 404",
    "/files: signed as a stable one": "404 404 404 404 404 404",
    "/latest: of what is approved": "302 302 302 302 302 302",  # public on purpose: for web pages
    "/latest: of what is not licensed any more": "451 451 451 451 451 451",
    "/latest: of a draft": "404 404 404 404 404 404",
    "/latest: of somebody who was shut out": "404 404 404 404 404 404",
    "/latest: by a token that was revoked": "404 404 404 404 404 404",
    "/latest: by a token for other networks": "404 404 404 404 404 404",
    "/latest: made up": "404 404 404 404 404 404",
    "/latest: signed as a file's": "404 404 404 404 404 404",
    "/transforms: of a draft": "200 200 200 200 200 200",  # public on purpose, until it may not be taken away any more
    "/transforms: of what is approved": "200 200 200 200 200 200",  # public on purpose, likewise
    "/transforms: of somebody who may only look by now": "404 404 404 404 404 404",
    "/transforms: of somebody who was shut out": "404 404 404 404 404 404",
    "/transforms: of somebody to whom it was denied since": "404 404 404 404 404 404",
    "/transforms: by a token that was revoked": "404 404 404 404 404 404",
    "/transforms: by a token for other networks": "404 404 404 404 404 404",
    "/transforms: made up": "404 404 404 404 404 404",
    "/transforms: signed as a file's": "404 404 404 404 404 404",
    "/transforms: with a parameter that nobody signed": "400 400 400 400 400 400",
    "/iiif: of a draft": "200 200 200 200 200 200",  # public on purpose, likewise
    "/iiif: of what is approved": "200 200 200 200 200 200",  # public on purpose, likewise
    "/iiif: of somebody who may only look by now": "404 404 404 404 404 404",
    "/iiif: of somebody who was shut out": "404 404 404 404 404 404",
    "/iiif: of somebody to whom it was denied since": "404 404 404 404 404 404",
    "/iiif: by a token that was revoked": "404 404 404 404 404 404",
    "/iiif: by a token for other networks": "404 404 404 404 404 404",
    "/iiif: made up": "404 404 404 404 404 404",
    "/iiif: signed as a file's": "404 404 404 404 404 404",
    "/iiif: a tile of a draft": "200 200 200 200 200 200",  # public on purpose, likewise
    "/iiif: a tile of what is approved": "200 200 200 200 200 200",  # public on purpose, likewise
    "/iiif: a tile of somebody who may only look by now": "404 404 404 404 404 404",
    "/iiif: a tile of somebody who was shut out": "404 404 404 404 404 404",
    "/iiif: a tile of somebody to whom it was denied since": "404 404 404 404 404 404",
    "/iiif: a tile by a token that was revoked": "404 404 404 404 404 404",
    "/iiif: a tile by a token for other networks": "404 404 404 404 404 404",
    "/iiif: a tile made up": "404 404 404 404 404 404",
    "/iiif: a tile signed as a file's": "404 404 404 404 404 404",
    "/iiif: where the document is": "303 303 303 303 303 303",  # of any text: it says nothing of it
}
