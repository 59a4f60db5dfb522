// Package imaging compares two images of the same size: the mean squared
// error and the PSNR, the structural similarity (SSIM), the pixels that differ,
// and a picture of where they are. It also reads PNG, JPEG and GIF files into
// the raw pixels that it compares.
//
// Pixels lie in memory that the caller chooses, such as memory shared with
// another process:
//
//	header, err := imaging.ReadHeader(file)   // how large? nothing is decoded
//	size, err := header.Size()
//	left, err := imaging.Decode(file, shared[:size])
//	...
//	result, err := imaging.Compare(left, right, nil)
//
// # Memory that changes
//
// The bytes of a [Frame] may be changed by somebody else while a function of
// this package reads them. The figures then describe some mixture of the old and
// the new pixels, and that is all that happens: every byte pattern is a legal
// image, dimensions are taken from the Frame and never from its bytes, and no
// byte serves as an index.
//
// # What the figures mean
//
// Colour values are compared as they are stored, without regard to gamma, colour
// profiles or orientation tags. Before MSE, PSNR and SSIM are counted each colour
// value is multiplied by its pixel's alpha, which is how the pixel looks over
// black: a difference that cannot be seen because the pixel is transparent has
// no weight, and a difference of alpha has the weight of the colour it shows.
// Alpha is not a channel of its own in them.
//
// [Result] says for each figure where it comes from.
//
// # JPEG
//
// The JPEG standard leaves the last bit of the inverse transform, and how
// subsampled colour is enlarged, to the decoder. This package decodes with
// image/jpeg and enlarges as libjpeg-turbo does, so that the figures are those of
// programs built on the latter up to the transform's last bit. See [Decode] for
// how much that is.
package imaging
