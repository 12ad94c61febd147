using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using LocalPlus.Cli.Proof;

namespace LocalPlus.Cli;

/// <summary>
/// Verifies a receipt (GET /v1/transactions/{id}/receipt), a consistency proof (GET /v1/checkpoints/consistency) or an
/// export of the audit (GET /v1/audit/export) with the public key of what signed it: no database, no service, no
/// network.
/// </summary>
internal static class Verify
{
    private static readonly Argument<string> Document = new("file")
    {
        Description = "the answer of …/receipt, …/consistency or /v1/audit/export, as it came",
    };
    private static readonly Option<string> Key = new("--key")
    {
        Description =
            "the public key of /v1/checkpoints/key or of /v1/audit/key; after a rotation the previous ones too",
        HelpName = "PUBLIC.pem",
        Required = true,
    };

    public static readonly Verb Verb = Verbs.Define(
        "verify",
        "check a receipt of the ledger, that its log only grew, or an export of the audit, offline",
        RunAsync,
        Document,
        Key
    );

    private static async Task<int> RunAsync(Invocation call)
    {
        var (_, words, cancel) = call;
        var path = words.GetRequiredValue(Document);
        var keyPath = words.GetRequiredValue(Key);
        using var keys = ReadKeys(await ReadAsync(keyPath, cancel), keyPath);
        try
        {
            foreach (var fact in await CheckAsync(path, keys, cancel))
            {
                Terminal.Good(fact);
            }

            return ExitCodes.Ok;
        }
        catch (JsonException notJson)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"{path} is not JSON: {notJson.Message}",
                "save the answer of GET /v1/transactions/{id}/receipt (or of /v1/audit/export) as it came"
            );
        }
        catch (ProofFailure failure) when (failure.Message == Evidence.NotSealed)
        {
            throw new CliFailure(ExitCodes.Unavailable, failure.Message, "fetch the receipt again in a second");
        }
        catch (ProofFailure failure)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"not verified: {failure.Message}",
                "fetch it again; if it stays so, keep the file and ask the operator"
            );
        }
    }

    private static async Task<IReadOnlyList<string>> CheckAsync(
        string path,
        PublicKeys keys,
        CancellationToken cancel
    ) =>
        File.Exists(path) && File.ReadLines(path).FirstOrDefault() is { } first && AuditExport.IsOne(first)
            ? AuditExport.Check(File.ReadLines(path), keys)
            : Evidence.Check(JsonSerializer.Deserialize<JsonElement>(await ReadAsync(path, cancel)), keys);

    private static async Task<string> ReadAsync(string path, CancellationToken cancel) =>
        File.Exists(path)
            ? await File.ReadAllTextAsync(path, cancel)
            : throw new CliFailure(ExitCodes.NotFound, $"there is no file {path}", "./localplus help verify");

    private static PublicKeys ReadKeys(string pem, string path)
    {
        try
        {
            return PublicKeys.Read(pem);
        }
        catch (Exception notAKey) when (notAKey is ArgumentException or CryptographicException)
        {
            throw new CliFailure(
                ExitCodes.Usage,
                $"{path} holds no public key: {notAKey.Message}",
                "its form is -----BEGIN PUBLIC KEY-----"
            );
        }
    }
}
