"""What we can see in a file: pictures made from it, and the facts embedded in it.

Pure functions from a file to files and values: no database, no blob store, no settings. The files come from
strangers, so outside tests call `workers.imaging.safely`, which runs `render` and `metadata` in a sandbox.
"""
