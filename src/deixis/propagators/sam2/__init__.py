"""SAM 2, SAM 2.1, EdgeTAM and the tracker of SAM 3, as the package ``transformers`` has them."""
