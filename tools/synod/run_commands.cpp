#include "tools/synod/run_commands.h"

#include <fmt/format.h>

#include <filesystem>

#include "common/config/run_specification.h"
#include "common/core/file.h"
#include "common/core/hex.h"
#include "common/crypto/secret_random.h"
#include "models/run_offer.h"
#include "tools/synod/operator_link.h"
#include "tools/synod/run_text.h"
#include "tools/synod/run_watch.h"

namespace synod {
namespace {

// Tries of a submission whose link broke: it has an id, so that two tries are one run.
constexpr int kSubmitTries = 3;

struct Named {
  std::unique_ptr<OperatorLink> link;
  RunId run;
};

Result<Named> Open(const RunNameOptions& options, const Clock& clock) {
  Named named;
  SYNOD_ASSIGN_OR_RETURN(named.link, OperatorLink::Connect(OperatorKit(options.kit), clock));
  SYNOD_ASSIGN_OR_RETURN(named.run, FindRun(*named.link, options.run));
  return named;
}

Result<std::string> SchemaFileOf(const RunSubmitOptions& options, const RunSpecification& specification) {
  namespace fs = std::filesystem;
  if (!options.schema_file.empty()) return options.schema_file;
  const fs::path beside = fs::path(options.run_file).parent_path() / specification.schema_file;
  std::error_code ignored;
  if (fs::is_regular_file(beside, ignored)) return beside.string();
  return BadInput(
      fmt::format("{} names the schema {}, which is not beside it", options.run_file, specification.schema_file),
      "give the schema's file with --schema FILE");
}

Result<RunId> IdOf(const RunSubmitOptions& options) {
  RunId run;
  if (options.id.empty()) {
    SecretRandom random = SecretRandom::FromOperatingSystem();
    random.Fill(run.bytes);
    return run;
  }
  const Result<std::array<std::uint8_t, 16>> bytes = FixedFromHex<16>(options.id);
  if (!bytes.ok()) return BadInput("--id is not 32 hexadecimal digits");
  run.bytes = *bytes;
  return run;
}

Result<Json> SendSubmission(const std::string& kit, const RunId& run, const std::string& payload,
                            CommandContext& context) {
  for (int attempt = 1;; ++attempt) {
    Result<std::unique_ptr<OperatorLink>> link = OperatorLink::Connect(kit, context.clock);
    if (!link.ok()) return link.error();
    Result<Json> reply = (*link)->AskJson(OperatorVerb::kRunSubmit, run, payload);
    if (reply.ok() || reply.error().code != ErrorCode::kConnection || attempt == kSubmitTries) return reply;
    context.progress.Say("the connection broke; sending the same submission again");
  }
}

}  // namespace

Result<CommandOutput> RunSubmit(const RunSubmitOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const RunSpecification specification, RunSpecification::FromFile(options.run_file));
  for (const std::string& warning : specification.warnings) context.progress.Say("warning: " + warning);
  SYNOD_ASSIGN_OR_RETURN(const std::string schema_file, SchemaFileOf(options, specification));
  SYNOD_RETURN_IF_ERROR(Schema::FromFile(schema_file));
  Json payload;
  SYNOD_ASSIGN_OR_RETURN(payload["specification"], ReadFile(options.run_file, RunOffer::kMaxTextBytes));
  SYNOD_ASSIGN_OR_RETURN(payload["schema"], ReadFile(schema_file, RunOffer::kMaxTextBytes));
  payload["sites"] = options.sites;
  SYNOD_ASSIGN_OR_RETURN(const RunId run, IdOf(options));
  SYNOD_ASSIGN_OR_RETURN(Json line,
                         SendSubmission(OperatorKit(options.kit), run,
                                        payload.dump(-1, ' ', false, Json::error_handler_t::replace), context));
  const std::string id = ToHex(run.bytes);
  if (options.wait) {
    context.progress.Say(fmt::format("submitted run {}", id));
    return RunWatch({options.kit, id}, context);
  }
  CommandOutput output;
  output.text = fmt::format("{}\n", id);
  output.data = std::move(line);
  return output;
}

Result<CommandOutput> RunList(const std::string& kit, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<OperatorLink> link,
                         OperatorLink::Connect(OperatorKit(kit), context.clock));
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, link->AskJson(OperatorVerb::kRunList));
  output.text = RunListText(output.data);
  return output;
}

Result<CommandOutput> RunShow(const RunNameOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Named named, Open(options, context.clock));
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, named.link->AskJson(OperatorVerb::kRunShow, named.run));
  output.text = RunShowText(output.data);
  return output;
}

Result<CommandOutput> RunWatch(const RunNameOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Named named, Open(options, context.clock));
  SYNOD_ASSIGN_OR_RETURN(const Json view, WatchRun(*named.link, named.run, context));
  CommandOutput output;
  output.exit_code = RunExitCode(view);
  output.text = RunEndText(view);
  output.data = view;
  return output;
}

Result<CommandOutput> RunWhy(const RunNameOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Named named, Open(options, context.clock));
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, named.link->AskJson(OperatorVerb::kRunWhy, named.run));
  output.text = RunWhyText(output.data);
  return output;
}

Result<CommandOutput> RunAbort(const RunNameOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Named named, Open(options, context.clock));
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, named.link->AskJson(OperatorVerb::kRunAbort, named.run));
  output.text = fmt::format("run {} is aborted; what sites have answered stays charged in their ledgers\n",
                            ToHex(named.run.bytes).substr(0, 8));
  return output;
}

Result<CommandOutput> RunFetch(const RunNameOptions& options, const std::string& out, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Named named, Open(options, context.clock));
  SYNOD_ASSIGN_OR_RETURN(const Bytes file, named.link->Ask(OperatorVerb::kRunFetch, named.run));
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(out, file));
  CommandOutput output;
  output.text = fmt::format("{}: {} bytes; check it with `synod verify {} --trust {}`\n", out, file.size(), out,
                            OperatorKit(options.kit) + "/trust/ca.pem");
  output.data = {{"file", out}, {"bytes", file.size()}};
  return output;
}

Result<CommandOutput> SiteList(const std::string& kit, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<OperatorLink> link,
                         OperatorLink::Connect(OperatorKit(kit), context.clock));
  CommandOutput output;
  SYNOD_ASSIGN_OR_RETURN(output.data, link->AskJson(OperatorVerb::kSiteList));
  output.text = SiteListText(output.data);
  return output;
}

}  // namespace synod
