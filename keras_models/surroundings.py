"""What a network adds around an image whose sides are no multiple of what it divides them by, and cuts off again."""

from collections.abc import Sequence

from keras import layers

Amounts = tuple[tuple[int, int], tuple[int, int]]  # rows before and after, columns before and after
NOTHING: Amounts = ((0, 0), (0, 0))


def lacking(input_shape: Sequence[int], multiple: int) -> Amounts:
    """Rows and columns that the sides of (height px, width px, ...) lack to a multiple, half of them before, the odd one after."""
    return _halves([-side % multiple for side in input_shape[:2]])


def added(x, amounts: Amounts):
    """Zeros around x, layer `around`; x itself where there are none."""
    return x if amounts == NOTHING else layers.ZeroPadding2D(amounts, name="around")(x)


def cut_off(x, amounts: Amounts, **options):
    """x without its surroundings, layer `inside`; x itself where there are none. options: further ones of the layer."""
    return x if amounts == NOTHING else layers.Cropping2D(amounts, **{"name": "inside"} | options)(x)


def middle(x, to, name: str):
    """The middle of x, of the sides of `to`, layer `name`; x itself where these are the same."""
    amounts = _halves([have - want for have, want in zip(x.shape[1:3], to.shape[1:3], strict=True)])
    return cut_off(x, amounts, name=name)


def _halves(many) -> Amounts:
    (above, left) = ((count // 2, count - count // 2) for count in many)
    return above, left
