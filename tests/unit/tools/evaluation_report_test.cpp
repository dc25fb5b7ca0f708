#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "common/core/file.h"
#include "tests/support/shared_data.h"
#include "tests/unit/tools/evaluation_tables.h"
#include "tools/evaluation/html_text.h"
#include "tools/evaluation/report.h"

namespace synod {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const char* const kHostile = "<script>alert('1')</script>\"><img src=x onerror=y>&\xFF";

ReportInput InputOf(Evaluation evaluation) {
  ReportInput input;
  input.title = "A run";
  input.facts = {{"Model", "test"}};
  input.privacy_statement = {"A promise."};
  input.evaluation = std::move(evaluation);
  return input;
}

ReportInput PatientReport() {
  EvaluationOptions options;
  options.train_classifiers = false;
  const auto evaluation =
      Evaluate(testing::Patients(200, 1), testing::Patients(100, 2), testing::Patients(100, 3), options);
  SYNOD_CHECK(evaluation.ok(), "the tables of a test can be compared");
  return InputOf(*evaluation);
}

// The first tag that is closed out of order or never, or nothing.
std::string UnbalancedTag(const std::string& html) {
  const std::set<std::string> empty = {"meta", "col", "!DOCTYPE"};
  std::vector<std::string> open;
  for (std::size_t i = html.find('<'); i != std::string::npos; i = html.find('<', i + 1)) {
    const std::size_t end = html.find('>', i);
    const std::size_t name_start = html[i + 1] == '/' ? i + 2 : i + 1;
    const std::string name = html.substr(name_start, html.find_first_of(" >/", name_start) - name_start);
    if (html[i + 1] == '/') {
      if (open.empty() || open.back() != name) return "</" + name;
      open.pop_back();
    } else if (html[end - 1] != '/' && empty.count(name) == 0) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : "<" + open.back();
}

TEST(EscapeHtml, LeavesNoMarkupAndNoBrokenText) {
  EXPECT_EQ(EscapeHtml("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
  EXPECT_EQ(EscapeHtml("gr\xC3\xB6\xC3\x9F"
                       "e"),
            "gr\xC3\xB6\xC3\x9F"
            "e");
  for (const char* broken : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x01"}) {
    EXPECT_THAT(EscapeHtml(broken), HasSubstr("\xEF\xBF\xBD"));
  }
}

TEST(NumberText, ReadsWell) {
  EXPECT_EQ(NumberText(0.0), "0");
  EXPECT_EQ(NumberText(1234567.0), "1,234,567");
  EXPECT_EQ(NumberText(-1234.0), "-1,234");
  EXPECT_EQ(NumberText(12.5), "12.5");
  EXPECT_EQ(NumberText(0.05), "0.05");
  EXPECT_EQ(NumberText(120.0), "120");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(32561), "32,561");
}

TEST(Report, SaysAtTheTopThatItIsNotPrivate) {
  const std::string html = RenderReport(PatientReport());
  const std::size_t mark =
      html.find("Contains statistics of real data, not differentially private: for the data holder only.");
  ASSERT_NE(mark, std::string::npos);
  EXPECT_LT(mark, html.find("<h2>"));
  ReportInput input = PatientReport();
  input.real_data = RealData::kPublic;
  EXPECT_THAT(RenderReport(input), HasSubstr("not differentially private: for the data holder only."));
}

TEST(Report, LoadsNothingAndRunsNothing) {
  const std::string html = RenderReport(PatientReport());
  for (const char* forbidden : {"<script", "http:", "https:", "src=", "@import", "url(", "<link", "javascript:"}) {
    EXPECT_THAT(html, Not(HasSubstr(forbidden)));
  }
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(Report, ClosesEveryTagAndHoldsNoBrokenNumber) {
  const std::string html = RenderReport(PatientReport());
  EXPECT_EQ(UnbalancedTag(html), "");
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, Not(HasSubstr("inf%")));
  EXPECT_THAT(html, Not(HasSubstr("{}")));
}

TEST(Report, EscapesNamesFromOutsideEverywhere) {
  const std::string name = std::string(kHostile).substr(0, std::string(kHostile).size() - 1);  // valid UTF-8
  const auto schema = testing::SchemaOf({testing::CategoryColumn(name, {name + "1", name + "2", "b"}),
                                         testing::NumberColumn(name + "n", 0, 1),
                                         testing::CategoryColumn("label" + name, {name, "x"}, ColumnRole::kLabel)});
  std::vector<ColumnCells> cells(3);
  cells[0].codes = {0, 1, 2, 3};
  cells[1].numbers = {0.1, 0.5, 0.7, 1.0};
  cells[2].codes = {0, 1, 0, 1};
  const Table table = testing::TableOf(schema, cells, 4);
  const auto evaluation = Evaluate(table, table, table, {});
  ASSERT_TRUE(evaluation.ok());
  ReportInput input = InputOf(*evaluation);
  input.title = kHostile;
  input.facts = {{kHostile, kHostile}};
  input.privacy_statement = {kHostile};
  const std::string html = RenderReport(input);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_THAT(html, Not(HasSubstr("\xFF")));
  EXPECT_EQ(UnbalancedTag(html), "");
}

TEST(Report, NeverLiesBesideAGeneratorOfPrivateData) {
  for (const char* generator : {"generator.synod", "OLD.SYNOD"}) {
    const std::filesystem::path folder = std::filesystem::path(testing::TemporaryFolder()) / generator;
    std::filesystem::create_directories(folder);
    ASSERT_TRUE(WriteFileAtomically((folder / generator).string(), {}).ok());
    const std::string path = (folder / "report.html").string();
    ReportInput input = PatientReport();
    const Status refused = WriteReport(path, input);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_FALSE(std::filesystem::exists(path));
    input.real_data = RealData::kPublic;
    EXPECT_TRUE(WriteReport(path, input).ok());
    EXPECT_TRUE(std::filesystem::exists(path));
  }
}

TEST(Report, GoesToAFolderOfItsOwnAndNotToOneThatIsNotThere) {
  const std::filesystem::path folder = std::filesystem::path(testing::TemporaryFolder()) / "alone";
  std::filesystem::create_directories(folder);
  EXPECT_TRUE(WriteReport((folder / "report.html").string(), PatientReport()).ok());
  const Status missing = CheckReportPlace((folder / "nowhere" / "report.html").string(), RealData::kPrivate);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kBadInput);
}

}  // namespace
}  // namespace synod
