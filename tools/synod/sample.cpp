#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <thread>

#include "common/consortium/verify_in_consortium.h"
#include "common/data/csv_writer.h"
#include "tools/synod/commands.h"
#include "tools/synod/generator_files.h"

namespace synod {
namespace {

// 244 million blocks: far above any use, far below what a count of rows can hold.
constexpr std::uint64_t kMostRows = 1'000'000'000'000;

struct Shard {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
};

Result<std::uint64_t> WholeNumber(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) {
    return BadInput("not a whole number");
  }
  return value;
}

Result<Shard> ShardOf(const std::string& text) {
  const Error wrong = BadInput(fmt::format("--shard is \"{}\"", text), "write i/n with 1 <= i <= n, for example 2/8");
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) return wrong;
  const Result<std::uint64_t> index = WholeNumber(std::string_view(text).substr(0, slash));
  const Result<std::uint64_t> count = WholeNumber(std::string_view(text).substr(slash + 1));
  if (!index.ok() || !count.ok() || *index == 0 || *index > *count) return wrong;
  return Shard{*index - 1, *count};
}

Result<GivenValue> GivenOf(const Schema& schema, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return BadInput(fmt::format("--where is \"{}\"", text), "write column=value");
  const std::string name = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  for (std::size_t c = 0; c < schema.columns().size(); ++c) {
    const Column& column = schema.columns()[c];
    if (column.name != name) continue;
    GivenValue given;
    given.column = c;
    if (!column.is_numeric()) {
      const auto found = std::find(column.values.begin(), column.values.end(), value);
      if (found == column.values.end()) {
        return BadInput(fmt::format("--where: column \"{}\" has no category \"{}\"", name, value),
                        fmt::format("its categories: {}", fmt::join(column.values, ", ")));
      }
      given.code = static_cast<std::uint16_t>(found - column.values.begin());
      return given;
    }
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), given.number);
    if (error != std::errc{} || end != value.data() + value.size() || !std::isfinite(given.number)) {
      return BadInput(fmt::format("--where: \"{}\" is not a number, as column \"{}\" wants", value, name));
    }
    return given;
  }
  return BadInput(fmt::format("--where: the generator has no column \"{}\"", name), "see synod inspect");
}

// A simulation and an unverified file are said; a file that fails verification is refused before a row is made.
Status CheckCertificate(const GeneratorFile& file, const SampleOptions& options, Progress& progress) {
  if (options.uncertified) {
    progress.Say("note: --uncertified: nobody checked who made this generator or what its epsilon is");
    return {};
  }
  VerificationTrust trust;
  if (!options.trust.empty()) {
    SYNOD_ASSIGN_OR_RETURN(trust, VerificationTrust::Load(options.trust));
  }
  if (file.certificate().kind == CertificateClass::kFederated && options.trust.empty()) {
    return Refused("this generator's certificate cannot be checked without the root of its consortium",
                   "give --trust CA.pem, or --uncertified to sample it all the same");
  }
  SYNOD_ASSIGN_OR_RETURN(const VerifyReport report, VerifyWith(file, trust));
  if (report.outcome == VerifyOutcome::kSimulation) {
    progress.Say("note: this generator comes from a simulation: one process saw all records, no site vouches for it");
  } else if (report.outcome == VerifyOutcome::kIncomplete) {
    return VerificationFailed("sites that answered have not signed this generator",
                              "get their signatures, or give --uncertified");
  }
  return {};
}

// Blocks are made by several threads and written in order.
class BlockWriter {
 public:
  BlockWriter(const Generator& generator, const SampleOptions& options, std::vector<GivenValue> given)
      : generator_(generator), options_(options), given_(std::move(given)) {}

  Status Write(std::uint64_t first_block, std::uint64_t last_block, CsvWriter& writer, Progress& progress) {
    const unsigned threads = ThreadsOrAll(options_.threads);
    for (std::uint64_t block = first_block; block < last_block; block += threads) {
      const std::uint64_t end = std::min<std::uint64_t>(last_block, block + threads);
      std::vector<std::unique_ptr<Result<Table>>> tables(end - block);
      std::vector<std::thread> workers;
      for (std::uint64_t b = block; b < end; ++b) {
        workers.emplace_back([this, b, block, &tables] {
          tables[b - block] = std::make_unique<Result<Table>>(generator_.Block(options_.seed, b, RowsOf(b), given_));
        });
      }
      for (std::thread& worker : workers) worker.join();
      for (const auto& table : tables) {
        if (!table->ok()) return table->error();
        SYNOD_RETURN_IF_ERROR(writer.Rows(**table));
      }
      progress.Step("sample", end - first_block, last_block - first_block, "blocks of 4,096 rows");
    }
    return writer.Finish();
  }

  std::size_t RowsOf(std::uint64_t block) const {
    const std::uint64_t before = block * Generator::kBlockRows;
    return static_cast<std::size_t>(std::min<std::uint64_t>(Generator::kBlockRows, options_.rows - before));
  }

 private:
  const Generator& generator_;
  const SampleOptions& options_;
  std::vector<GivenValue> given_;
};

struct FileCloser {
  void operator()(std::FILE* file) const {
    if (file != stdout) std::fclose(file);
  }
};

}  // namespace

Result<CommandOutput> RunSample(const SampleOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Shard shard, options.shard == "0/1" ? Result<Shard>(Shard{}) : ShardOf(options.shard));
  if (options.rows > kMostRows) return BadInput(fmt::format("--rows must be at most {}", kMostRows));
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, GeneratorFile::Read(options.generator));
  SYNOD_RETURN_IF_ERROR(CheckCertificate(file, options, context.progress));
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator, GeneratorOf(file));
  std::vector<GivenValue> given;
  for (const std::string& condition : options.where) {
    SYNOD_ASSIGN_OR_RETURN(const GivenValue value, GivenOf(file.content().schema, condition));
    given.push_back(value);
  }
  const std::uint64_t blocks = (options.rows + Generator::kBlockRows - 1) / Generator::kBlockRows;
  const std::uint64_t first = blocks * shard.index / shard.count;
  const std::uint64_t last = blocks * (shard.index + 1) / shard.count;

  const bool to_stdout = options.out == "-";
  // Written beside the target and renamed: a sample is whole or not there.
  const bool device = options.out.starts_with("/dev/");
  const std::string temporary = to_stdout || device ? options.out : options.out + ".tmp";
  const std::unique_ptr<std::FILE, FileCloser> out(to_stdout ? stdout : std::fopen(temporary.c_str(), "we"));
  if (!out) {
    return Failed(fmt::format("cannot create {}: {}", options.out, std::strerror(errno)),
                  "name a file in a folder that exists and that you may write to");
  }
  CsvWriter writer(out.get(), options.out);
  BlockWriter rows(*generator, options, std::move(given));
  Status status = shard.index == 0 ? writer.Header(file.content().schema) : Status();
  if (status.ok()) status = rows.Write(first, last, writer, context.progress);
  if (status.ok() && !to_stdout && !device && std::rename(temporary.c_str(), options.out.c_str()) != 0) {
    status = Failed(fmt::format("cannot create {}: {}", options.out, std::strerror(errno)));
  }
  if (!status.ok()) {
    if (!to_stdout && !device) std::remove(temporary.c_str());
    return status.error();
  }
  const std::uint64_t made = std::min(options.rows, last * Generator::kBlockRows) - first * Generator::kBlockRows;
  CommandOutput output;
  output.data = {{"rows", made}, {"out", options.out}, {"seed", options.seed}};
  if (!to_stdout) output.text = fmt::format("{} rows in {}\n", made, options.out);
  return output;
}

}  // namespace synod
