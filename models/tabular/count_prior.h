// The counts of many categories that have no order, with the noise taken off by what they say together: how many
// categories have how large a count is learned from the noisy counts themselves (the nonparametric maximum-likelihood
// estimate of Kiefer and Wolfowitz 1956, by expectation maximisation on a fixed set of counts), and each count becomes
// its mean given its noisy value (Jiang and Zhang 2009, "General maximum likelihood empirical Bayes estimation of
// normal means"). Counts far apart stay apart; counts that the noise cannot tell apart move towards each other, so that
// a rare category keeps the share of its like and is not cut off. Post-processing of noisy counts.
#pragma once

#include <span>
#include <vector>

namespace synod::tabular {

// `counts`: with independent Gaussian noise of standard deviation `sigma` > 0; finite. Every result is at least 0 and
// at most the largest count, or 0 where none is positive.
std::vector<double> LearnedCounts(std::span<const double> counts, double sigma);

}  // namespace synod::tabular
