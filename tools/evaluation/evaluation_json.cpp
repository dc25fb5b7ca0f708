#include "tools/evaluation/evaluation.h"

namespace synod {
namespace {

Json FidelityJson(const FidelityScores& scores) {
  Json json = {
      {"tvd1", scores.marginal_mean}, {"tvd1_max", scores.marginal_maximum}, {"tvd1_worst", scores.marginal_worst}};
  if (scores.pair_mean) {
    json["tvd2"] = *scores.pair_mean;
    json["tvd2_max"] = scores.pair_maximum;
    json["tvd2_worst"] = {scores.pair_worst_first, scores.pair_worst_second};
  }
  if (scores.association_difference) json["association_difference"] = *scores.association_difference;
  return json;
}

void AddOutcome(Json& json, const char* name, const ClassifierOutcome& outcome) {
  if (!outcome.scores) return;
  json[name] = {{"logistic_regression", outcome.scores->logistic},
                {"mlp", outcome.scores->mlp},
                {"mean", outcome.scores->mean()},
                {"train_rows", outcome.rows}};
}

Json ClosestJson(const ClosestRecordScores& closest) {
  return {{"share_nearer_to_train", closest.share_nearer_to_train},
          {"median_distance", closest.median_distance},
          {"median_distance_holdout", closest.median_distance_holdout},
          {"exact_match_share", closest.exact_match_share},
          {"exact_match_share_holdout", closest.exact_match_share_holdout},
          {"sampled_real_rows", closest.sampled_real_rows},
          {"sampled_synthetic_rows", closest.sampled_synthetic_rows}};
}

}  // namespace

Json ToJson(const Evaluation& evaluation) {
  Json json = {{"schema", evaluation.schema_name},
               {"contains_statistics_of_real_data", true},
               {"differentially_private", false},
               {"rows",
                {{"real_train", evaluation.real_train_rows},
                 {"real_test", evaluation.real_test_rows},
                 {"synthetic", evaluation.synthetic_rows}}},
               {"synthetic", FidelityJson(evaluation.synthetic)},
               {"real_test", FidelityJson(evaluation.holdout)},
               {"invalid_cell_share", evaluation.invalid_cell_share},
               {"closest_record", ClosestJson(evaluation.closest)},
               {"notes", evaluation.notes}};
  AddOutcome(json, "trained_on_real", evaluation.trained_on_real);
  AddOutcome(json, "trained_on_synthetic", evaluation.trained_on_synthetic);
  AddOutcome(json, "discriminator", evaluation.discriminator);
  Json columns = Json::array();
  for (const ColumnProfile& profile : evaluation.columns) {
    columns.push_back({{"name", profile.column.name},
                       {"tvd", profile.total_variation},
                       {"missing_real", profile.real.missing},
                       {"missing_synthetic", profile.synthetic.missing}});
  }
  json["columns"] = std::move(columns);
  return json;
}

}  // namespace synod
