#include "models/spline_flow/normal_scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "models/spline_flow/column_base.h"

namespace synod::spline_flow {
namespace {

double Polynomial(const std::array<double, 8>& coefficients, double x) {
  double value = 0.0;
  for (std::size_t i = coefficients.size(); i-- > 0;) value = value * x + coefficients[i];
  return value;
}

}  // namespace

double NormalShare(double score) {
  return 0.5 * std::erfc(-score / std::numbers::sqrt2);
}

double NormalScore(double share) {
  constexpr std::array<double, 8> kMiddle = {
      3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
      4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr std::array<double, 8> kMiddleBelow = {1.0,
                                                  4.2313330701600911252e+1,
                                                  6.8718700749205790830e+2,
                                                  5.3941960214247511077e+3,
                                                  2.1213794301586595867e+4,
                                                  3.9307895800092710610e+4,
                                                  2.8729085735721942674e+4,
                                                  5.2264952788528545610e+3};
  constexpr std::array<double, 8> kSide = {
      1.42343711074968357734e0, 4.63033784615654529590e0,  5.76949722146069140550e0,  3.64784832476320460504e0,
      1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr std::array<double, 8> kSideBelow = {1.0,
                                                2.05319162663775882187e0,
                                                1.67638483018380384940e0,
                                                6.89767334985100004550e-1,
                                                1.48103976427480074590e-1,
                                                1.51986665636164571966e-2,
                                                5.47593808499534494600e-4,
                                                1.05075007164441684324e-9};
  constexpr std::array<double, 8> kTail = {
      6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,  2.96560571828504891230e-1,
      2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array<double, 8> kTailBelow = {1.0,
                                                5.99832206555887937690e-1,
                                                1.36929880922735805310e-1,
                                                1.48753612908506148525e-2,
                                                7.86869131145613259100e-4,
                                                1.84631831751005468180e-5,
                                                1.42151175831644588870e-7,
                                                2.04426310338993978564e-15};
  const double centred = share - 0.5;
  if (std::abs(centred) <= 0.425) {
    const double r = 0.180625 - centred * centred;
    return centred * Polynomial(kMiddle, r) / Polynomial(kMiddleBelow, r);
  }
  const double r = std::sqrt(-std::log(centred < 0.0 ? share : 1.0 - share));
  const double score = r <= 5.0 ? Polynomial(kSide, r - 1.6) / Polynomial(kSideBelow, r - 1.6)
                                : Polynomial(kTail, r - 5.0) / Polynomial(kTailBelow, r - 5.0);
  return centred < 0.0 ? -score : score;
}

NormalScores::NormalScores(const std::vector<tabular::PublicGrid>& grids, const tabular::TokenTransform& transform) {
  for (std::size_t j = 0; j < grids.size(); ++j) {
    const std::vector<double>& noisy = transform.column(j).cell_probability;
    const std::size_t cells = grids[j].cells();
    std::vector<std::uint16_t> order(cells);
    std::iota(order.begin(), order.end(), std::uint16_t{0});
    if (!grids[j].numeric()) {
      std::stable_sort(order.begin(), order.end(),
                       [&](std::uint16_t a, std::uint16_t b) { return noisy[a] > noisy[b]; });
    }
    std::vector<double> ends(cells);
    std::vector<double> begin(cells);
    std::vector<double> length(cells);
    std::vector<double> log_length(cells);
    double sum = 0.0;
    for (std::size_t rank = 0; rank < cells; ++rank) {
      const std::uint16_t cell = order[rank];
      begin[cell] = sum;
      length[cell] = (1.0 - kEvenShare) * noisy[cell] + kEvenShare / static_cast<double>(cells);
      log_length[cell] = std::log(length[cell]);
      ends[rank] = sum += length[cell];
    }
    order_.push_back(std::move(order));
    ends_.push_back(std::move(ends));
    begin_.push_back(std::move(begin));
    length_.push_back(std::move(length));
    log_length_.push_back(std::move(log_length));
  }
}

float NormalScores::ScoreOf(std::size_t column, std::size_t cell, double position) const {
  const double share = begin_[column][cell] + position * length_[column][cell];
  constexpr double kLeast = 1e-12;
  const double score = NormalScore(std::clamp(share, kLeast, 1.0 - kLeast));
  return static_cast<float>(std::clamp(score, -kMostScore, kMostScore));
}

std::size_t NormalScores::CellOf(std::size_t column, float score) const {
  const double share = std::isnan(score) ? 0.5 : NormalShare(score);
  const std::vector<double>& ends = ends_[column];
  const auto found = std::upper_bound(ends.begin(), ends.end() - 1, share);
  return order_[column][static_cast<std::size_t>(found - ends.begin())];
}

}  // namespace synod::spline_flow
