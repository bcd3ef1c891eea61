"""Measurements that docs/benchmarks.md states."""

#: Variants of the floor, by what parses; the fastest in a run is the floor.
FLOORS = (
    "floor: msgspec.Raw, polars.read_ndjson",
    "floor: polars.read_json",
    "floor: msgspec structs",
    "floor: orjson",
)
