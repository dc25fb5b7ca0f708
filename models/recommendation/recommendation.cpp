#include "models/recommendation/recommendation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace synod {
namespace {

constexpr double kNear = 1.1;      // of the distance: a factor of three in one of its parts
constexpr std::size_t kShown = 4;  // families in the text

double LogRatio(double a, double b) {
  return std::abs(std::log(a / b));
}

double NumericShare(const TableSize& size) {
  return static_cast<double>(size.numeric_columns) / static_cast<double>(size.columns);
}

TableSize SizeOf(const MeasuredResult& result) {
  return {result.rows, result.columns, result.numeric_columns, result.epsilon};
}

double Distance(const TableSize& a, const TableSize& b) {
  return LogRatio(static_cast<double>(a.units) * a.epsilon, static_cast<double>(b.units) * b.epsilon) +
         LogRatio(a.columns, b.columns) + std::abs(NumericShare(a) - NumericShare(b));
}

// Means over seeds of the results on one table at one epsilon, in the order in which they are first met.
std::vector<FamilyScore> Means(std::span<const MeasuredResult> measured, const MeasuredResult& like) {
  std::vector<FamilyScore> scores;
  for (const MeasuredResult& result : measured) {
    if (result.data != like.data || result.epsilon != like.epsilon) continue;
    auto found = std::find_if(scores.begin(), scores.end(), [&](const FamilyScore& score) {
      return score.family == result.family && score.variant == result.variant;
    });
    if (found == scores.end()) {
      FamilyScore score;
      score.family = result.family;
      score.variant = result.variant;
      found = scores.insert(scores.end(), std::move(score));
    }
    ++found->seeds;
    found->tvd1 += result.tvd1;
    found->tvd2 += result.tvd2;
    found->auroc += result.auroc;
    found->discriminator += result.discriminator;
    found->train_seconds += result.train_seconds;
  }
  for (FamilyScore& score : scores) {
    for (double* sum : {&score.tvd1, &score.tvd2, &score.auroc, &score.discriminator, &score.train_seconds}) {
      *sum /= static_cast<double>(score.seeds);
    }
  }
  return scores;
}

// How many are better in each of the measures, summed.
std::size_t RankSum(const FamilyScore& score, const std::vector<FamilyScore>& scores) {
  std::size_t better = 0;
  for (const FamilyScore& other : scores) {
    better += other.tvd2 < score.tvd2 ? 1 : 0;
    better += other.auroc > score.auroc ? 1 : 0;
    better += std::abs(other.discriminator - 0.5) < std::abs(score.discriminator - 0.5) ? 1 : 0;
  }
  return better;
}

std::string ScoreText(const FamilyScore& score) {
  return fmt::format("  {:<32}{:>8.3f}{:>8.3f}{:>8.3f}{:>8.3f}{:>10.0f} s\n", score.Name(), score.tvd1, score.tvd2,
                     score.auroc, score.discriminator, score.train_seconds);
}

}  // namespace

TableSize SizeOf(const Schema& schema, std::uint64_t units, double epsilon) {
  TableSize size;
  size.units = units;
  size.epsilon = epsilon;
  for (const Column& column : schema.columns()) {
    if (!column.is_modelled()) continue;
    ++size.columns;
    if (column.is_numeric()) ++size.numeric_columns;
  }
  return size;
}

Result<Recommendation> Recommend(const TableSize& size, std::span<const MeasuredResult> measured) {
  if (size.units == 0 || size.columns == 0 || !(size.epsilon > 0.0)) {
    return BadInput("a recommendation needs units, columns and an epsilon");
  }
  const MeasuredResult* nearest = nullptr;
  double least = std::numeric_limits<double>::infinity();
  for (const MeasuredResult& result : measured) {
    const double distance = Distance(size, SizeOf(result));
    if (distance >= least) continue;
    least = distance;
    nearest = &result;
  }
  if (nearest == nullptr) return Failed("nothing was measured to recommend from");
  Recommendation recommendation;
  recommendation.data = nearest->data;
  recommendation.size = SizeOf(*nearest);
  recommendation.distance = least;
  recommendation.is_near = least <= kNear;
  const std::vector<FamilyScore> scores = Means(measured, *nearest);
  recommendation.ranked = scores;
  std::stable_sort(recommendation.ranked.begin(), recommendation.ranked.end(),
                   [&](const FamilyScore& a, const FamilyScore& b) {
                     const std::size_t of_a = RankSum(a, scores);
                     const std::size_t of_b = RankSum(b, scores);
                     return of_a != of_b ? of_a < of_b : a.tvd2 < b.tvd2;
                   });
  return recommendation;
}

std::string RecommendationText(const Recommendation& recommendation, const std::string& family,
                               const std::string& variant) {
  const FamilyScore& best = recommendation.ranked.front();
  const bool same = best.family == family && best.variant == variant;
  std::string text = fmt::format("Recommended family: {}{}\n", best.Name(), same ? ", as this run asks" : "");
  text += fmt::format(
      "  measured on \"{}\" ({} rows, {} columns, {} numeric) at epsilon {:g}, with the settings that a silent run "
      "file "
      "has;\n",
      recommendation.data, recommendation.size.units, recommendation.size.columns, recommendation.size.numeric_columns,
      recommendation.size.epsilon);
  text += recommendation.is_near ? "  the measured table most like this one\n"
                                 : "  no measured table is much like this one: take it as a hint\n";
  text += fmt::format("  {:<32}{:>8}{:>8}{:>8}{:>8}{:>12}\n", "", "columns", "pairs", "AUROC", "told", "training");
  for (std::size_t i = 0; i < std::min(kShown, recommendation.ranked.size()); ++i) {
    text += ScoreText(recommendation.ranked[i]);
  }
  for (std::size_t i = kShown; i < recommendation.ranked.size(); ++i) {
    const FamilyScore& score = recommendation.ranked[i];
    if (score.family == family && score.variant == variant) text += ScoreText(score);
  }
  return text;
}

Json RecommendationJson(const Recommendation& recommendation) {
  Json ranked = Json::array();
  for (const FamilyScore& score : recommendation.ranked) {
    ranked.push_back({{"family", score.family},
                      {"variant", score.variant},
                      {"seeds", score.seeds},
                      {"tvd1", score.tvd1},
                      {"tvd2", score.tvd2},
                      {"auroc", score.auroc},
                      {"discriminator", score.discriminator},
                      {"train_seconds", score.train_seconds}});
  }
  return {{"data", recommendation.data},
          {"rows", recommendation.size.units},
          {"columns", recommendation.size.columns},
          {"numeric_columns", recommendation.size.numeric_columns},
          {"epsilon", recommendation.size.epsilon},
          {"distance", recommendation.distance},
          {"is_near", recommendation.is_near},
          {"ranked", std::move(ranked)}};
}

}  // namespace synod
