// The scores of an evaluation as HTML: a row of tiles with the few that matter most, and the whole table, where every
// row says what it is and which direction is good.
#pragma once

#include <string>

#include "tools/evaluation/evaluation.h"

namespace synod {

std::string ScoreTiles(const Evaluation& evaluation);
std::string ScoreTable(const Evaluation& evaluation);
// What each measure is, exactly, as a <dl>.
std::string ScoreDefinitions();

}  // namespace synod
