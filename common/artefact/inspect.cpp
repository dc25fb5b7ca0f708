#include "common/artefact/inspect.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/clock.h"
#include "common/core/hex.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

// How often a site answered, of all attempts of the run.
struct SiteShare {
  std::string id;
  std::uint64_t answered = 0;
  std::uint64_t dropped = 0;
  bool has_signed = false;
};

std::uint64_t Sum(const std::vector<std::uint64_t>& values) {
  std::uint64_t sum = 0;
  for (const std::uint64_t value : values) sum += value;
  return sum;
}

std::vector<SiteShare> SiteShares(const GeneratorFile& file) {
  const Plan& plan = file.content().plan;
  const Participation& participation = file.certificate().participation;
  const std::size_t entries = plan.entries().size();
  const std::uint64_t attempts = Sum(participation.UsedOfEntries(entries));
  const std::vector<SiteSignature>& signatures = file.signatures().sites;
  std::vector<SiteShare> shares;
  for (std::uint32_t i = 0; i < plan.sites(); ++i) {
    SiteShare share;
    share.id = plan.facts().roster[i].id;
    share.answered = std::min(attempts, Sum(participation.AnsweredBy(i, entries)));
    share.dropped = attempts - share.answered;
    share.has_signed = std::any_of(signatures.begin(), signatures.end(),
                                   [&](const SiteSignature& signature) { return signature.site == share.id; });
    shares.push_back(std::move(share));
  }
  return shares;
}

// Names from a file go to a terminal: anything that is not plain is not shown.
std::string Shown(const std::string& text) {
  return IsPlainName(text) ? text : "(not printable)";
}

std::string EpsilonTable(const Certificate& certificate) {
  static constexpr std::string_view kWho[] = {"the coordinator, with up to c colluding sites",
                                              "the public, if all sites are honest",
                                              "everybody else together against one site"};
  std::string text;
  for (std::size_t i = 0; i < certificate.readings.size(); ++i) {
    const StatedReading& reading = certificate.readings[i];
    text += fmt::format("  {:<46}", kWho[i]);
    for (const StatedEpsilons& epsilons : reading.by_sites) text += fmt::format(" {:>9.3f}", epsilons.upper);
    text += fmt::format("   ({} noise share(s))\n", reading.shares);
  }
  return text;
}

std::string WhatItIs(const GeneratorFile& file) {
  const Certificate& certificate = file.certificate();
  const GeneratorContent& content = file.content();
  return fmt::format(
      "Generator of synthetic records: \"{}\"\n"
      "  class        {}\n"
      "  model        {}, {} parameters\n"
      "  schema       {} columns\n"
      "  run          {}\n"
      "  made         {} by Synod {}\n"
      "  file digest  {}\n"
      "  plan hash    {}\n",
      content.plan.facts().name, CertificateClassName(certificate.kind), content.family, content.parameters.size(),
      content.schema.columns().size(), ToHex(certificate.run.bytes), Rfc3339(certificate.created_unix),
      Shown(certificate.software_version), ToHex(file.file_digest()), ToHex(certificate.plan_hash));
}

std::string WhatItUsed(const Certificate& certificate) {
  std::string text = "\nWhat was asked (used of allowed; epsilon pays for all that is allowed)\n";
  for (const CertifiedEntry& entry : certificate.entries) {
    text += fmt::format("  {:<32} {:>8} of {}\n", entry.name, entry.used, entry.allowed);
  }
  return text;
}

std::string WhoTookPart(const GeneratorFile& file) {
  const Certificate& certificate = file.certificate();
  std::string text =
      fmt::format("\nWho took part (N = {}, quorum = {}, t = {}, c = {}, h = {})\n", certificate.sites,
                  certificate.quorum, certificate.threshold, certificate.max_colluding, certificate.honest_shares);
  for (const SiteShare& share : SiteShares(file)) {
    text += fmt::format("  {:<32} {:>8} answers, {:>6} dropped   {}\n", share.id, share.answered, share.dropped,
                        share.has_signed ? "signed" : "not signed");
  }
  text += file.signatures().coordinator ? "  The coordinator's signature is there.\n"
                                        : "  There is no coordinator's signature.\n";
  return text;
}

std::string Sentences(std::string_view title, const std::vector<std::string>& sentences) {
  std::string text = fmt::format("\n{}\n", title);
  for (const std::string& sentence : sentences) text += fmt::format("  - {}\n", sentence);
  return text;
}

}  // namespace

Json Inspect(const GeneratorFile& file) {
  const GeneratorContent& content = file.content();
  Json sites = Json::array();
  for (const SiteShare& share : SiteShares(file)) {
    sites.push_back(
        {{"id", share.id}, {"answered", share.answered}, {"dropped", share.dropped}, {"signed", share.has_signed}});
  }
  return {{"name", content.plan.facts().name},
          {"certificate", file.certificate().ToJson()},
          {"created", Rfc3339(file.certificate().created_unix)},
          {"plan", content.plan.ToJson()},
          {"schema", content.schema.ToJson()},
          {"model_family", content.family},
          {"parameters", content.parameters.size()},
          {"sites", sites},
          {"coordinator_signed", file.signatures().coordinator.has_value()},
          {"content_digest", ToHex(file.content_digest())},
          {"file_digest", ToHex(file.file_digest())},
          {"checked", false}};
}

std::string InspectText(const GeneratorFile& file) {
  const Certificate& certificate = file.certificate();
  std::string text = WhatItIs(file);
  text += fmt::format("\nThe guarantee, as stated: epsilon {:.3f} at delta {}\n", certificate.headline().upper,
                      certificate.delta);
  text += fmt::format("  proven lower bound of the account {:.3f}; Renyi accountant alone {:.3f}\n",
                      certificate.headline().lower, certificate.headline().rdp);
  text += fmt::format("\nEpsilon by who looks {:>35} {:>9} {:>9}\n", "1 site", "2 sites", "3 sites");
  text += EpsilonTable(certificate);
  text += WhatItUsed(certificate);
  text += WhoTookPart(file);
  text += Sentences("What is stated", certificate.statements);
  text += Sentences("What is not claimed", certificate.not_claimed);
  text += "\nThis page repeats what the file says of itself. `synod verify` checks it.\n";
  return text;
}

}  // namespace synod
