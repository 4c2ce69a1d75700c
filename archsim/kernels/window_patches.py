"""What a window sees: one row per place in the window, one lane per output pixel.

`numerics/patches.py` calls it, tile by tile; the adders of products then walk along the lanes, so that every
output keeps the order of its sum while neighbours are computed side by side.
"""

from archsim.kernels.compiled import compiled


@compiled
def gather_patches(ifmap, places, strides, tile, blank, patches):
    """Copy ifmap words to the lanes that need them.

    Parameters
    ----------
    ifmap : array, shape (N, C, H, W)
    places : int64 array, shape (terms, 3)
        Of each term: its channel, and its row and column from the corner of an unpadded window.
    strides : int64 array, shape (2,)
        Rows, columns.
    tile : int64 array, shape (5,)
        First image, images, first ofmap row, rows, ofmap columns.
    blank : number
        What stands outside the image.
    patches : array, shape (terms, images * rows * columns)
        Is written.
    """
    height, width = ifmap.shape[2], ifmap.shape[3]
    first_image, images, first_row, rows, columns = tile[0], tile[1], tile[2], tile[3], tile[4]
    step = strides[1]
    for t in range(len(places)):
        c, dv = places[t, 0], places[t, 2]
        low = min(max(0, -(dv // step)), columns)
        high = max(low, min(columns, (width - 1 - dv) // step + 1))
        lane = 0
        for n in range(first_image, first_image + images):
            for i in range(first_row, first_row + rows):
                ii = i * strides[0] + places[t, 1]
                inside = 0 <= ii < height
                first = low if inside else columns
                last = high if inside else columns
                for j in range(first):
                    patches[t, lane + j] = blank
                for j in range(first, last):
                    patches[t, lane + j] = ifmap[n, c, ii, j * step + dv]
                for j in range(last, columns):
                    patches[t, lane + j] = blank
                lane += columns
