#include "tools/synod/evaluation_text.h"

#include <fmt/format.h>

namespace synod {
namespace {

std::string Row(const std::string& name, const std::string& synthetic, const std::string& reference) {
  return fmt::format("  {:<46}{:>10}  {}\n", name, synthetic, reference);
}

std::string Auroc(const ClassifierOutcome& outcome) {
  return outcome.scores ? fmt::format("{:.3f}", outcome.scores->mean()) : std::string("-");
}

}  // namespace

std::string EvaluationText(const Evaluation& e) {
  std::string text = Row("", "synthetic", "reference");
  text += Row("distance of columns (mean TVD, 0 best)", fmt::format("{:.4f}", e.synthetic.marginal_mean),
              fmt::format("{:.4f} real test rows", e.holdout.marginal_mean));
  if (e.synthetic.pair_mean) {
    text += Row("distance of pairs of columns (mean TVD)", fmt::format("{:.4f}", *e.synthetic.pair_mean),
                e.holdout.pair_mean ? fmt::format("{:.4f} real test rows", *e.holdout.pair_mean) : "");
  }
  text += Row("train on it, test on real (AUROC, 1 best)", Auroc(e.trained_on_synthetic),
              Auroc(e.trained_on_real) + " trained on real");
  text += Row("told from real by a classifier (AUROC, 0.5 best)", Auroc(e.discriminator), "");
  text += Row("closer to training than to test rows (0.5 best)", fmt::format("{:.3f}", e.closest.share_nearer_to_train),
              "");
  for (const std::string& note : e.notes) text += "  note: " + note + "\n";
  return text;
}

}  // namespace synod
