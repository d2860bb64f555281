"""The slow, obvious truth about the kernels, in NumPy. Nothing here is fast, and nothing here ships."""

from __future__ import annotations

import math

import numpy as np

F = np.float32


def decode_boxes(deltas, anchors, variances=(0.1, 0.2), clip=True):
    """(N, 4) deltas ty tx th tw + (N, 4) anchors cy cx h w -> (N, 4) x1 y1 x2 y2, in float64."""
    deltas, anchors = deltas.astype(np.float64), anchors.astype(np.float64)
    # The variances are float32 in the kernel, as they are in the exported networks.
    v0, v1 = (float(F(v)) for v in variances)
    with np.errstate(over="ignore", invalid="ignore"):
        centre = deltas[:, :2] * v0 * anchors[:, 2:] + anchors[:, :2]
        size = np.exp(deltas[:, 2:] * v1) * anchors[:, 2:]
        corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    if clip:
        corners = np.clip(corners, 0.0, 1.0)  # NaN stays NaN
    return corners[:, [1, 0, 3, 2]]


def iou(box, boxes, plus_one=False):
    """IoU of one float32 box with (N, 4) others, every operation rounded to float32; NaN where the union is 0."""
    edge = F(1 if plus_one else 0)

    def area(x1, y1, x2, y2):
        return np.maximum(x2 - x1 + edge, F(0)) * np.maximum(y2 - y1 + edge, F(0))

    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = box, boxes.T
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shared = area(np.maximum(ax1, bx1), np.maximum(ay1, by1), np.minimum(ax2, bx2), np.minimum(ay2, by2))
        return shared / (area(ax1, ay1, ax2, ay2) + area(bx1, by1, bx2, by2) - shared)


def nms(boxes, scores, iou_threshold, class_ids=None, max_detections=None, plus_one=False, max_per_class=None):
    """Kept indices, best first."""
    if class_ids is None:
        class_ids = np.zeros(len(boxes), np.int32)
    usable = [i for i in range(len(boxes)) if np.isfinite(boxes[i]).all() and np.isfinite(scores[i])]
    kept = []
    for i in sorted(usable, key=lambda i: (-scores[i], i)):
        rivals = [k for k in kept if class_ids[k] == class_ids[i]]
        if max_per_class is not None and len(rivals) >= max_per_class:
            continue
        if not (iou(boxes[i], boxes[rivals], plus_one) > F(iou_threshold)).any():
            kept.append(i)
    return np.array(kept[:max_detections], np.int64)


def soft_nms(
    boxes,
    scores,
    method="linear",
    iou_threshold=0.3,
    sigma=0.5,
    score_threshold=0.001,
    class_ids=None,
    max_detections=None,
    plus_one=False,
):
    """Indices in order of choice, and the scores they then had; every operation rounded to float32."""
    if class_ids is None:
        class_ids = np.zeros(len(boxes), np.int32)
    scores = scores.copy()
    waiting = [i for i in range(len(boxes)) if np.isfinite(boxes[i]).all() and np.isfinite(scores[i])]
    chosen = []
    while waiting and (max_detections is None or len(chosen) < max_detections):
        best = min(waiting, key=lambda i: (-scores[i], i))
        if not scores[best] > F(score_threshold):
            break
        waiting.remove(best)
        chosen.append(best)
        for i in waiting:
            overlap = iou(boxes[i], boxes[best][None], plus_one)[0]
            if class_ids[i] != class_ids[best] or not overlap > 0:
                continue
            if method == "gaussian":
                scores[i] *= F(math.exp(-(overlap * overlap) / F(sigma)))
            elif overlap > F(iou_threshold):
                scores[i] *= F(1) - overlap
    return np.array(chosen, np.int64), scores[chosen]


def softmax(logits):
    with np.errstate(invalid="ignore"):
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(logits):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits))


def detect(
    boxes,
    logits,
    *,
    image_wh,
    score_threshold,
    iou_threshold,
    activation="sigmoid",
    background=0,
    max_per_class=100,
    max_detections=None,
    plus_one=False,
):
    """Decoded float32 boxes (normalised, x first) and logits -> (boxes, scores, class_ids) in image pixels.

    Scores are computed in float64 and rounded, so that they are within a step or two of the kernel's.
    """
    w, h = (F(v) for v in image_wh)
    with np.errstate(over="ignore", invalid="ignore"):
        boxes = boxes * np.array([w, h, w, h])
    wide = logits.astype(np.float64)
    scores = (sigmoid(wide) if activation == "sigmoid" else softmax(wide)).astype(F)
    if score_threshold <= 0:
        passed = np.isfinite(logits) & np.isfinite(scores)
    elif score_threshold >= 1:
        passed = np.zeros(logits.shape, bool)
    elif activation == "sigmoid":
        passed = np.isfinite(logits) & (wide > math.log(score_threshold / (1 - score_threshold)))
    else:
        passed = np.isfinite(logits) & (scores > F(score_threshold))
    found = []
    for class_id, column in enumerate(c for c in range(logits.shape[1]) if c != background):
        rows = np.flatnonzero(passed[:, column])
        keep = rows[nms(boxes[rows], scores[rows, column], iou_threshold, plus_one=plus_one)[:max_per_class]]
        found += [(-scores[i, column], class_id, i) for i in keep]
    found = sorted(found)[:max_detections]
    rows = [i for _, _, i in found]
    return (
        boxes[rows].reshape(-1, 4),
        np.array([-s for s, _, _ in found], F),
        np.array([c for _, c, _ in found], np.int32),
    )


def published_detect(boxes_yx, scores, image_hw, score_threshold=0.1, iou_threshold=0.6, max_per_class=100):
    """The published evaluation of the three MindSpore detectors, retold: one list of detections, class by class.

    boxes_yx: (N, 4) float32 y1 x1 y2 x2 in 0..1; scores: (N, C) float32, column 0 the background; image_hw: the
    original image's height and width, float32. Gives (box x1 y1 x2 y2, score, class counted without background, row).
    """
    results = []
    scale = np.concatenate([image_hw, image_hw]).astype(F)
    for column in range(1, scores.shape[1]):
        rows = np.flatnonzero(scores[:, column] > score_threshold)
        boxes = boxes_yx[rows] * scale
        for kept in published_nms(boxes, scores[rows, column], iou_threshold, max_per_class):
            results.append((boxes[kept][[1, 0, 3, 2]], scores[rows[kept], column], column - 1, rows[kept]))
    return results


def published_nms(boxes, scores, iou_threshold, most):
    """Greedy suppression of float32 y1 x1 y2 x2 pixel boxes; corners belong to the box. Indices, best first."""
    y1, x1, y2, x2 = boxes.T
    one = F(1)
    areas = (x2 - x1 + one) * (y2 - y1 + one)
    order = np.argsort(-scores, kind="stable")  # the original leaves the order of equal scores open
    keep = []
    while len(order) and len(keep) < most:
        best, rest = order[0], order[1:]
        keep.append(best)
        width = np.maximum(F(0), np.minimum(x2[best], x2[rest]) - np.maximum(x1[best], x1[rest]) + one)
        height = np.maximum(F(0), np.minimum(y2[best], y2[rest]) - np.maximum(y1[best], y1[rest]) + one)
        shared = width * height
        overlap = shared / (areas[best] + areas[rest] - shared)
        order = rest[overlap <= F(iou_threshold)]
    return keep


def spp_pool(features, regions, levels=(6, 3, 2, 1)):
    """(C, H, W) features, (R, 4) half-open cells x0 y0 x1 y1 -> (R, C·Σb²)."""

    def bounds(i, n, b):
        return i * n // b, -(-((i + 1) * n) // b)

    rows = []
    for x0, y0, x1, y1 in regions.tolist():
        region = features[:, y0:y1, x0:x1]
        row = []
        for b in levels:
            for channel in region:
                for i in range(b):
                    top, bottom = bounds(i, y1 - y0, b)
                    for j in range(b):
                        left, right = bounds(j, x1 - x0, b)
                        row.append(channel[top:bottom, left:right].max())
        rows.append(row)
    return np.array(rows, F).reshape(len(regions), len(features) * sum(b * b for b in levels))


def project_regions(boxes, stride, offset, feature_wh):
    """Asks every cell of the map whether its centre lies strictly inside. stride, offset: pairs (x, y)."""

    def axis(low, high, step, start, cells):
        centres = [step * r + start for r in range(cells)]
        inside = [r for r in range(cells) if low < centres[r] < high]
        if not inside:
            middle = (low + high) / 2
            inside = [min(range(cells), key=lambda r: (abs(centres[r] - middle), r))]
        return inside[0], inside[-1] + 1

    regions = []
    for x1, y1, x2, y2 in boxes.tolist():
        left, right = axis(x1, x2, stride[0], offset[0], feature_wh[0])
        top, bottom = axis(y1, y2, stride[1], offset[1], feature_wh[1])
        regions.append([left, top, right, bottom])
    return np.array(regions, np.int32).reshape(-1, 4)


def taps(of, to, clipped):
    """Where each of ``to`` samples comes from: two indices and two weights in 1/2048, as OpenCV's INTER_LINEAR."""
    centre = ((np.arange(to) + 0.5) * (1.0 / (to / of)) - 0.5).astype(F)
    first = np.floor(centre).astype(int)
    beyond = centre - first.astype(F)
    if clipped:  # columns do not extrapolate weights, rows do
        beyond[(first < 0) | (first >= of - 1)] = 0
    weights = np.rint(np.stack([F(1) - beyond, beyond]) * F(2048)).astype(int)
    return np.clip(first, 0, of - 1), np.clip(first + 1, 0, of - 1), *weights


def resize(image, size_wh):
    """(H, W, C) uint8 -> (h, w, C) uint8, bilinear."""
    left, right, a, b = taps(image.shape[1], size_wh[0], clipped=True)
    top, bottom, c, d = taps(image.shape[0], size_wh[1], clipped=False)
    rows = (image[:, left].astype(int) * a[:, None] + image[:, right].astype(int) * b[:, None]) >> 4
    both = (rows[top] * c[:, None, None] >> 16) + (rows[bottom] * d[:, None, None] >> 16)
    return ((both + 2) >> 2).astype(np.uint8)


def yuv_to_bgr(y, u, v):
    """Three (H, W) uint8 of BT.601's limited range -> (H, W, 3) uint8."""
    y = np.maximum(y.astype(int) - 16, 0) * 1220542 + (1 << 19)
    u, v = u.astype(int) - 128, v.astype(int) - 128
    bgr = np.stack([y + 2116026 * u, y - 409993 * u - 852492 * v, y + 1673527 * v], axis=-1)
    return np.clip(bgr >> 20, 0, 255).astype(np.uint8)


def to_bgr(image, color):
    """Any layout of the kernels' -> (H, W, 3) uint8 BGR."""
    if color in ("bgr", "rgb"):
        return image if color == "bgr" else image[..., ::-1]
    if color == "yuyv":
        return yuv_to_bgr(image[..., 0], image[:, ::2, 1].repeat(2, 1), image[:, 1::2, 1].repeat(2, 1))
    height, width = image.shape[0] // 3 * 2, image.shape[1]
    shape = (2, height // 2, width // 2)
    chroma = image[height:].reshape(shape) if color == "i420" else image[height:].reshape(-1, 2).T.reshape(shape)
    u, v = (chroma[::-1] if color == "nv21" else chroma).repeat(2, 1).repeat(2, 2)
    return yuv_to_bgr(image[:height], u, v)


def normalize(image, mean, std, swap_rb=False, layout="chw"):
    """(H, W, 3) uint8 -> float32, the line that everybody writes."""
    if swap_rb:
        image = image[..., ::-1]
    result = (image.astype(F) - np.asarray(mean, F)) / np.asarray(std, F)
    return result.transpose(2, 0, 1) if layout == "chw" else result
