"""The state of SAM 3 between two frames, as plain values, and back into a session of ``transformers``.

A session is made anew for each frame, as for the trackers of the SAM 2 family (``layers.tracker_memory``).
Besides the tracker's memory it holds what was decided about each track; lists of frames in which a track was
not found again are left out, since a stream never reads them.

Axes: e expressions, s tokens, c channels.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from deixis.layers.tracker_memory import ObjectMemory, read_session

_NEVER = -1
"""Last frame in which a track was hidden that never was, in ``transformers``."""


class _NewestFrame(dict[int, Tensor]):
    """The frame that is looked at, in place of all frames; its length still counts those before."""

    def __len__(self) -> int:
        return max(self, default=-1) + 1


def first_state(words: Float[Tensor, "e s c"], padding_mask: Bool[Tensor, "e s"]) -> dict[str, Any]:
    """Return the state before the first frame."""
    return {
        "words": words,
        "padding_mask": padding_mask,
        "index": 0,
        "next_track": 0,
        "positions": None,
        "tracks": {},
    }


def open_session(network: Any, state: Mapping[str, Any]) -> Any:
    """Return a session of ``transformers`` that knows what ``state`` knows."""
    from transformers.models.sam3_video.modeling_sam3_video import Sam3VideoInferenceSession

    device = network.device
    session: Any = Sam3VideoInferenceSession(
        inference_device=device,
        inference_state_device=device,
        video_storage_device=device,
        dtype=network.dtype,
    )
    session.processed_frames = _NewestFrame()
    session.obj_with_new_inputs = []
    for place, padding in enumerate(state["padding_mask"]):
        session.prompts[place] = str(place)
        session.prompt_embeddings[place] = SimpleNamespace(pooler_output=state["words"][place, None])
        session.prompt_attention_masks[place] = (~padding)[None].long()
    for number, track in state["tracks"].items():
        ObjectMemory.from_plain(track["memory"]).put_into(session, number, state["positions"])
        session.obj_id_to_prompt_id[number] = track["expression"]
        session.obj_id_to_score[number] = track["score"]
        session.obj_first_frame_idx[number] = track["first"]
        session.trk_keep_alive[number] = track["keep_alive"]
        if track["hidden"] != _NEVER:
            session.obj_id_to_last_occluded[number] = torch.tensor([track["hidden"]], device=device)
    session.max_obj_id = state["next_track"] - 1
    return session


def close_session(network: Any, session: Any, state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state after the frame that ``session`` has seen last."""
    index, positions = state["index"], state["positions"]
    tracks: dict[int, dict[str, Any]] = {}
    for number in session.obj_ids:
        earlier = state["tracks"].get(number)
        memory = ObjectMemory() if earlier is None else ObjectMemory.from_plain(earlier["memory"])
        outputs = session.output_dict_per_obj[session.obj_id_to_idx(number)]
        is_given = index in outputs["cond_frame_outputs"]
        written, positions = read_session(session, number, index, is_given=is_given)
        memory = memory.with_frame(written, is_given=is_given).pruned(index + 1, network.tracker_model.config)
        hidden = session.obj_id_to_last_occluded.get(number)
        tracks[number] = {
            "expression": session.obj_id_to_prompt_id[number],
            "score": session.obj_id_to_score[number],
            "first": session.obj_first_frame_idx[number],
            "keep_alive": session.trk_keep_alive[number],
            "hidden": _NEVER if hidden is None else int(hidden),
            "memory": memory.as_plain(),
        }
    return {
        **state,
        "index": index + 1,
        "next_track": session.max_obj_id + 1,
        "positions": positions,
        "tracks": tracks,
    }
