import numpy as np
import pytest

from deixis.metrics.background import pixel_accuracy, robustness


def test_accuracy_and_robustness_by_hand():
    annotation = np.zeros((2, 4, 5), bool)
    prediction, foreground = annotation.copy(), annotation.copy()
    annotation[0, 0], prediction[0, :2], foreground[0, :4] = True, True, True
    prediction[1] = True
    np.testing.assert_allclose(pixel_accuracy(prediction, annotation), [0.75, 0])
    # 5 of 20 wrong in the first frame; in the second all are wrong and nothing is foreground.
    np.testing.assert_allclose(robustness(prediction, annotation, foreground), [0.75, 0], atol=1e-6)
    np.testing.assert_array_equal(robustness(annotation, annotation, foreground), [1, 1])
    with pytest.raises(ValueError, match="prediction is"):
        pixel_accuracy(prediction[:, :3], annotation)
