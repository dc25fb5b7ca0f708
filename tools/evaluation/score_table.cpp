#include "tools/evaluation/score_table.h"

#include <fmt/format.h>

#include "tools/evaluation/html_text.h"

namespace synod {
namespace {

std::string Tile(const std::string& name, const std::string& value, const std::string& than) {
  return fmt::format(
      "<div class=\"card tile\"><div class=\"name\">{}</div><div class=\"value\">{}</div><div "
      "class=\"than\">{}</div></div>",
      name, value, than);
}

std::string Group(const char* name) {
  return fmt::format("<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"3\">{}</th></tr>", name);
}

// `name` and `what` are HTML; `real` or `synthetic` may be empty where there is nothing to compare.
std::string Row(const std::string& name, const std::string& what, const std::string& real,
                const std::string& synthetic) {
  return fmt::format(
      "<tr><th scope=\"row\">{}<span class=\"what\">{}</span></th><td class=\"n real\">{}</td><td class=\"n "
      "syn\">{}</td></tr>",
      name, what, real, synthetic);
}

std::string FidelityRows(const Evaluation& evaluation) {
  const FidelityScores& s = evaluation.synthetic;
  const FidelityScores& h = evaluation.holdout;
  std::string html = Group("Fidelity: does it look like the real data?");
  html += Row("Single columns, mean distance", "Total variation. 0 is equal, 1 has nothing in common. Lower is better.",
              ScoreText(h.marginal_mean), ScoreText(s.marginal_mean));
  html += Row("Single columns, worst",
              fmt::format("Worst synthetic column: {}. Lower is better.", NameHtml(s.marginal_worst)),
              ScoreText(h.marginal_maximum), ScoreText(s.marginal_maximum));
  if (s.pair_mean && h.pair_mean) {
    html += Row("Pairs of columns, mean distance", "The same for two columns at a time. Lower is better.",
                ScoreText(*h.pair_mean), ScoreText(*s.pair_mean));
    html += Row("Pairs of columns, worst",
                fmt::format("Worst synthetic pair: {} and {}. Lower is better.", NameHtml(s.pair_worst_first),
                            NameHtml(s.pair_worst_second)),
                ScoreText(h.pair_maximum), ScoreText(s.pair_maximum));
  }
  if (s.association_difference && h.association_difference) {
    html += Row("Associations, mean difference", "How far correlations between columns are off. Lower is better.",
                ScoreText(*h.association_difference), ScoreText(*s.association_difference));
  }
  html += Row("Invalid cells", "Outside the bounds and categories of the schema. 0 is right.", "",
              PercentText(evaluation.invalid_cell_share));
  return html;
}

std::string UseRows(const Evaluation& evaluation) {
  const ClassifierOutcome& real = evaluation.trained_on_real;
  const ClassifierOutcome& synthetic = evaluation.trained_on_synthetic;
  std::string html;
  if (real.scores && synthetic.scores) {
    html += Group("Usefulness: does a model that learned from it work on real people?");
    html += Row("AUROC of logistic regression",
                "Trained on real or on synthetic rows, judged on real test rows. Higher is better.",
                ScoreText(real.scores->logistic), ScoreText(synthetic.scores->logistic));
    html += Row("AUROC of a small neural network", "The same with hidden layers of 64 and 32. Higher is better.",
                ScoreText(real.scores->mlp), ScoreText(synthetic.scores->mlp));
  }
  if (evaluation.discriminator.scores) {
    html += Group("Telling apart: can a model see which rows are synthetic?");
    html += Row("AUROC of logistic regression", "0.5 cannot tell, 1 always can. Nearer to 0.5 is better.", "",
                ScoreText(evaluation.discriminator.scores->logistic));
    html += Row("AUROC of a small neural network", "The same. Nearer to 0.5 is better.", "",
                ScoreText(evaluation.discriminator.scores->mlp));
  }
  return html;
}

std::string MemoryRows(const ClosestRecordScores& closest) {
  std::string html = Group("Smoke tests for memorised records: they can find trouble, they prove nothing");
  html += Row("Nearer to training than to test rows",
              "Share of synthetic rows. 0.5 is expected without memorisation; well above is alarming.", "",
              ScoreText(closest.share_nearer_to_train));
  html += Row("Median distance to the nearest training row", "Not clearly below that of real test rows is good.",
              ScoreText(closest.median_distance_holdout), ScoreText(closest.median_distance));
  html += Row("Exact copies of training rows", "Not clearly above that of real test rows is good.",
              PercentText(closest.exact_match_share_holdout), PercentText(closest.exact_match_share));
  return html;
}

std::string Definition(const char* term, const std::string& text) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", term, text);
}

}  // namespace

std::string ScoreTiles(const Evaluation& evaluation) {
  const FidelityScores& s = evaluation.synthetic;
  const FidelityScores& h = evaluation.holdout;
  std::string html = "<div class=\"tiles\">";
  html += Tile("Single columns", ScoreText(s.marginal_mean),
               fmt::format("distance, lower is better; new real data: {}", ScoreText(h.marginal_mean)));
  if (s.pair_mean && h.pair_mean) {
    html += Tile("Pairs of columns", ScoreText(*s.pair_mean),
                 fmt::format("distance, lower is better; new real data: {}", ScoreText(*h.pair_mean)));
  }
  if (evaluation.trained_on_real.scores && evaluation.trained_on_synthetic.scores) {
    html += Tile("Prediction", ScoreText(evaluation.trained_on_synthetic.scores->mean()),
                 fmt::format("AUROC, higher is better; trained on real data: {}",
                             ScoreText(evaluation.trained_on_real.scores->mean())));
  }
  if (evaluation.discriminator.scores) {
    html += Tile("Telling apart", ScoreText(evaluation.discriminator.scores->mean()),
                 "AUROC, 0.5 is indistinguishable from real");
  }
  return html + "</div>";
}

std::string ScoreTable(const Evaluation& evaluation) {
  return "<table><thead><tr><th scope=\"col\">Measure</th><th scope=\"col\" class=\"n\">Real</th><th scope=\"col\" "
         "class=\"n\">Synthetic</th></tr></thead><tbody>" +
         FidelityRows(evaluation) + UseRows(evaluation) + MemoryRows(evaluation.closest) + "</tbody></table>";
}

std::string ScoreDefinitions() {
  return "<dl class=\"terms\">" +
         Definition(
             "Distance of columns and pairs",
             "Total variation distance: half the sum over all bins of the absolute difference of shares, against "
             "the real training rows. Numbers fall into at most 20 bins whose edges are quantiles of the real "
             "training rows; values that fill whole quantiles have a bin of their own. Missing cells are one "
             "more bin.") +
         Definition("Association",
                    "Pearson's correlation for two numbers, the correlation ratio for a number and a "
                    "category, Cram\xC3\xA9r's V for two categories.") +
         Definition("Real, in the table of scores",
                    "Fidelity and memorisation: the real test rows, measured in the same way as the synthetic ones: "
                    "what a second sample of real people would score. Usefulness: models trained on real rows.") +
         Definition("AUROC",
                    "The chance that the model ranks a random positive row above a random negative one; with "
                    "more than two classes the mean of one against the rest. Logistic regression has an L2 "
                    "penalty (C = 1); the neural network is trained with Adam from a fixed seed.") +
         Definition("Nearest rows",
                    "Sum over columns of the difference, numbers scaled by their 1 % to 99 % range and cut at 1, "
                    "different categories counting 1; on random samples of the tables.") +
         "</dl>";
}

}  // namespace synod
