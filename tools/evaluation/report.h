// The evaluation as one HTML page that needs nothing else: style and pictures are inside, no script, no link to
// anywhere, readable on a phone, on paper, and in the dark.
//
// The page says at its top that it holds statistics of real data that are not differentially private.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/core/result.h"
#include "tools/evaluation/evaluation.h"
#include "tools/evaluation/report_place.h"

namespace synod {

struct ReportInput {
  std::string title;
  std::vector<std::pair<std::string, std::string>> facts;  // of the run, as plain text, in the order shown
  std::vector<std::string> privacy_statement;              // paragraphs of plain text
  RealData real_data = RealData::kPrivate;
  Evaluation evaluation;
};

// The page. All text of the input is escaped.
std::string RenderReport(const ReportInput& input);

// Checks the place (CheckReportPlace) and writes the page, whole or not at all.
Status WriteReport(const std::string& path, const ReportInput& input);

}  // namespace synod
