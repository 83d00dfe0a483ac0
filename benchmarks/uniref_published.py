"""The authors' UniRef++ on a CPU, for `uniref_speed.py`: their modules, called as their loops over frames do.

Needs checkouts of FoundationVision/UniRef and of facebookresearch/detectron2, whose Python files are enough
(nothing is compiled), and what these import: fvcore, iopath, yacs, timm, omegaconf, hydra-core, tabulate,
termcolor, portalocker, cloudpickle, scikit-image, matplotlib, lazy-loader, einops. Replaced are what runs on
CUDA alone, by its like in float32: flash attention by PyTorch's (padded keys left out, as there), deformable
sampling by their own PyTorch function; and what would be downloaded, by random weights. Files stay as they
are.
"""

import copy
import sys
import types
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

CONTEXT = 77


class Published:
    """The network with R50, and what their loops do with it frame by frame; frames have the video's size."""

    def __init__(self, uniref: Path, detectron2: Path) -> None:
        project = uniref / "projects" / "UniRef"
        _stub("detectron2._C", "MultiScaleDeformableAttention", "flash_attn", "flash_attn.bert_padding")
        for name in ("varlen_qkvpacked", "varlen_kvpacked", "qkvpacked", "kvpacked"):
            setattr(sys.modules["flash_attn"], f"flash_attn_{name}_func", object())
        for name in ("unpad_input", "pad_input"):
            setattr(sys.modules["flash_attn.bert_padding"], name, None)
        sys.path.insert(0, str(detectron2))
        package = types.ModuleType("uniref")  # without its __init__, which imports data sets
        package.__path__ = [str(project / "uniref")]
        sys.modules["uniref"] = package
        self.code: Any = import_module("uniref.uniref")
        self._replace()
        config = import_module("detectron2.config").get_cfg()
        import_module("uniref.config").add_uniref_config(config)
        config.merge_from_file(str(project / "configs" / "eval" / "r50" / "eval_rvos_r50.yaml"))
        config.MODEL.DEVICE, config.MODEL.WEIGHTS = "cpu", ""
        self.model = self.code.UniRef(config).eval()
        self.images: Any = import_module("detectron2.structures").ImageList

    def _replace(self) -> None:
        parts = "uniref.models"
        functions: Any = import_module(f"{parts}.deformable_detr.ops.functions.ms_deform_attn_func")
        sampling = types.SimpleNamespace(
            apply=lambda values, sizes, starts, places, weights, step: functions.ms_deform_attn_core_pytorch(
                values, sizes, places, weights
            )
        )
        module: Any = import_module(f"{parts}.deformable_detr.ops.modules.ms_deform_attn")
        module.MSDeformAttnFunction = sampling
        fusion: Any = import_module(f"{parts}.fuse_helper.fuse_helper")
        fusion.UniMultiHeadAttention.forward = _attend
        resnet: Any = import_module(f"{parts}.vos_helper.mod_resnet")
        resnet.model_zoo = types.SimpleNamespace(load_url=lambda url: {})
        transformers = import_module("transformers")
        encoder = transformers.BertModel
        self.code.BertModel = types.SimpleNamespace(
            from_pretrained=lambda path: encoder(transformers.BertConfig())
        )
        self.code.BertTokenizerFast = types.SimpleNamespace(from_pretrained=lambda path: _Tokenizer())

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take published names to tensors."""
        missing, unexpected = self.model.load_state_dict(weights, strict=False)
        missing = [name for name in missing if not name.endswith(("num_batches_tracked", "criterion._iter"))]
        if missing or unexpected:
            raise ValueError(f"the weights lack {missing[:3]} and have {unexpected[:3]} beside")

    def text(self, ids: Sequence[int]) -> Any:
        """Encode one expression."""
        self.model.tokenizer.ids = ids
        return self.model.forward_text([""], device="cpu")

    def find(self, frame: Tensor, text: Any, masks: Any) -> tuple[Tensor, Tensor]:
        """Return the score and the soft mask of the best query (masks at the frame's own size)."""
        task = "vos" if text is None else "rvos"
        samples = self._frame(frame)
        output, _ = self.model.detr.coco_inference(
            samples, None, None, train=False, lang_dict_features=text, mask_dict_features=masks, task=task
        )
        score, index = output["pred_logits"][0].sigmoid().view(-1).topk(1)
        logits = output["pred_masks"][0][index]  # 1 1 h w
        scale = 1 if text is None else 4
        size = (logits.shape[-2] * scale, logits.shape[-1] * scale)
        soft = F.interpolate(logits, size=size, mode="bilinear", align_corners=False).sigmoid()
        return score[0], soft[0, 0, : frame.shape[-2], : frame.shape[-1]]

    def look(self, frame: Tensor) -> tuple[Any, Any]:
        """Return the features of a reference frame, made once more."""
        return self.model.forward_ref_backbone(self._frame(frame))[:2]

    def remember(self, frame: Tensor, seen: Any, mask: Tensor) -> Any:
        """Make a reference of a mask in a frame."""
        samples = self._frame(frame)
        height, width = (-(-side // 32) * 32 for side in frame.shape[-2:])
        padded = F.pad(mask.float(), (0, width - mask.shape[1], 0, height - mask.shape[0]))
        return self.model.forward_template(samples, [padded[None]], *seen)

    def join(self, first: Any, previous: Any) -> Any:
        """Copy and join two references."""
        return self.code.concat_mask_dict_features(copy.deepcopy(first), copy.deepcopy(previous))

    def _frame(self, frame: Tensor) -> Any:
        return self.images.from_tensors([frame])


class _Tokenizer:
    """Gives ``ids``, padded as published."""

    ids: Sequence[int] = ()

    def batch_encode_plus(self, captions: Sequence[str], **kwargs: Any) -> Any:
        from transformers import BatchEncoding

        length = len(self.ids)
        ids = torch.tensor([[*self.ids, *[0] * (CONTEXT - length)]])
        mask = (torch.arange(CONTEXT) < length).long()[None]
        return BatchEncoding({"input_ids": ids, "attention_mask": mask})


def _attend(self: Any, q: Tensor, k: Tensor, v: Tensor, attention_mask: Tensor) -> Tensor:
    """Attend as their fusion does, in float32; hidden keys are left out first."""
    if len(k) != 1:
        raise ValueError(f"one sequence at a time, got {len(k)}")
    visible = attention_mask[0].bool()
    parts = (self.q_proj(q), self.k_proj(k)[:, visible], self.v_proj(v)[:, visible])
    heads = (part.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for part in parts)
    return self.out_proj(F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2))


def _stub(*names: str) -> None:
    for name in names:
        module = types.ModuleType(name)
        module.__spec__, module.__path__ = ModuleSpec(name, None), []
        sys.modules[name] = module
