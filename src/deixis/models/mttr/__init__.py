"""MTTR: End-to-End Referring Video Object Segmentation with Multimodal Transformers (CVPR 2022)."""
