// The scores of an evaluation as a short table for a terminal.
#pragma once

#include <string>

#include "tools/evaluation/evaluation.h"

namespace synod {

std::string EvaluationText(const Evaluation& evaluation);

}  // namespace synod
