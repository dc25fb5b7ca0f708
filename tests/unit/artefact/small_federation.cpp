#include "tests/unit/artefact/small_federation.h"

#include <algorithm>

#include "common/privacy/plan_resolve.h"

namespace synod::testing {
namespace {

Schema SmallSchema() {
  Column age;
  age.name = "age";
  age.type = ColumnType::kInteger;
  age.maximum = 100;
  Column sex;
  sex.name = "sex";
  sex.type = ColumnType::kBinary;
  sex.values = {"f", "m"};
  return Schema::Create("small", {age, sex}).value();
}

Json SmallOptions() {
  return {{"layers", 2}};
}

std::string SiteId(std::size_t index) {
  return std::string("site-") + static_cast<char>('a' + index);
}

PlanFacts FactsFor(Aggregation aggregation) {
  PlanFacts facts;
  facts.name = "small run";
  facts.threshold = 3;
  facts.max_colluding = aggregation == Aggregation::kCurator ? 0 : 1;
  facts.quorum = aggregation == Aggregation::kCurator ? 4 : 3;
  facts.delta = 1e-5;
  facts.epsilon_target = 3.0;
  facts.units = 20000;
  facts.model_family = "table_test";
  facts.aggregation = aggregation;
  return facts;
}

}  // namespace

SmallFederation::SmallFederation(Aggregation aggregation) {
  PlanRequest& request = request_;
  request.facts = FactsFor(aggregation);
  trusted_.coordinator = coordinator_.public_key();
  for (std::size_t i = 0; i < 4; ++i) {
    sites_.push_back(SigningKey::Generate());
    trusted_.sites.emplace(SiteId(i), sites_.back().public_key());
    request.facts.roster.push_back({SiteId(i), KeyFingerprint(sites_.back().public_key())});
  }
  request.facts.schema_hash = SmallSchema().Hash();
  request.facts.model_hash = HashModelOptions(SmallOptions()).value();
  request.facts.layout_hash.fill(5);
  EntryRequest histogram;
  histogram.name = "histograms";
  histogram.dimension = 12;
  histogram.parts = {{"age", 1.0}, {"sex", 1.0}};
  histogram.budget_share = 0.1;
  EntryRequest training;
  training.name = "training";
  training.kind = QueryKind::kGradient;
  training.count = 20;
  training.dimension = 4;
  training.sampling_rate = 0.02;
  training.parts = {{"gradient", 1.0}};
  request.entries = {histogram, training};
  content_.emplace(altered([](PlanRequest&) {}));
}

GeneratorContent SmallFederation::altered(const std::function<void(PlanRequest&)>& change) const {
  PlanRequest request = request_;
  change(request);
  const Plan plan = ResolvePlan(request).value();
  const Json state = {{"bins", Json::array({0.25, 0.5, 3})}};
  return {
      SmallSchema(), plan, "table_test", SmallOptions(), state, plan.facts().layout_hash, {0.5f, -1.25f, 3e-20f, 0.0f}};
}

Participation SmallFederation::run() const {
  Participation run;
  run.Record(0, 0, 0, true, {0, 1, 2, 3});
  for (std::uint32_t query = 1; query < 10; ++query) run.Record(query, 0, 1, true, {0, 1, 2, 3});
  run.Record(10, 0, 1, false, {0, 1});
  // A curator holds the answers of all sites.
  const bool curator = plan().facts().aggregation == Aggregation::kCurator;
  run.Record(10, 1, 1, true, curator ? std::vector<std::uint32_t>{0, 1, 2, 3} : std::vector<std::uint32_t>{0, 1, 2});
  for (std::uint32_t query = 11; query < 21; ++query) run.Record(query, 0, 1, true, {0, 1, 2, 3});
  return run;
}

Certificate SmallFederation::certificate(CertificateClass kind) const {
  return CertificateOf(*content_, kind);
}

Certificate SmallFederation::CertificateOf(const GeneratorContent& content, CertificateClass kind) const {
  CertificateRequest request;
  request.kind = kind;
  request.run.bytes.fill(8);
  request.participation = run();
  request.content_digest = ContentDigest(content).value();
  request.software_version = "0.1.0";
  request.created_unix = 1'770'000'000;
  return Certify(content.plan, request).value();
}

SiteStatement SmallFederation::statement(std::uint32_t index, const Digest& file_digest) const {
  SiteStatement statement;
  statement.site = SiteId(index);
  statement.run.bytes.fill(8);
  statement.plan_hash = plan().Hash();
  statement.attempts = run().AnsweredBy(index, plan().entries().size());
  statement.ledger_head.fill(static_cast<std::uint8_t>(index + 1));
  statement.file_digest = file_digest;
  return statement;
}

Result<GeneratorFile> SmallFederation::Sign(const Certificate& certificate) const {
  return SignWithout(certificate, {});
}

Result<GeneratorFile> SmallFederation::SignWithout(const Certificate& certificate,
                                                   const std::vector<std::string>& missing) const {
  SYNOD_ASSIGN_OR_RETURN(const GeneratorDraft draft, GeneratorDraft::Create(*content_, certificate));
  std::vector<SiteSignature> signatures;
  for (std::uint32_t i = 0; i < sites_.size(); ++i) {
    if (std::find(missing.begin(), missing.end(), SiteId(i)) != missing.end()) continue;
    signatures.push_back(SignAsSite(sites_[i], statement(i, draft.file_digest())));
  }
  return draft.Finish(SignAsCoordinator(coordinator_, draft.file_digest()), signatures);
}

}  // namespace synod::testing
