// The counts of neighbouring cells with the noise taken off: an average over all ways to cut the column into segments
// in which counts are proportional to a public measure (the width of a cell), each way weighted by how well it explains
// the noisy counts. Post-processing: it sees noisy counts, the noise's standard deviation and public widths.
//
// With n cells, a way m of k segments whose least-squares fit leaves the residual sum of squares R has the weight
// exp(-R / (2 sigma^2)) n^(-k/2): least-squares models mixed by exponential weights (Leung and Barron 2006,
// "Information theory and mixing least-squares regressions"), with the weights of Bayes. The average over all 2^(n-1)
// ways is exact: forward and backward sums over the places of cuts. Against the one best way it loses nothing where
// that is clear, and does not jump where it is not. Where the noise is small against the differences of the counts,
// only the ways that fit exactly have weight, and the counts come back as they are. Where counts are all noise,
// everything is one segment.
#pragma once

#include <span>
#include <vector>

namespace synod::tabular {

// `counts`: one a cell, with independent Gaussian noise of standard deviation `sigma` > 0; finite. `measures`: one or
// more positive measures of the cells; every segment may follow any of them, with equal prior weight. The result may be
// slightly negative. The same on one kind of machine; O(cells^2) time, O(cells) memory.
std::vector<double> SegmentAverage(std::span<const double> counts, double sigma,
                                   const std::vector<std::vector<double>>& measures);

}  // namespace synod::tabular
