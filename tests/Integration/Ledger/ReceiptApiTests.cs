using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using LocalPlus.Cli.Proof;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Proof;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

public sealed class ReceiptApiTests(LedgerProcess ledger) : IClassFixture<LedgerProcess>
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(1);
    private const int BusyMachine = 30;

    [Fact]
    public async Task A_receipt_is_sealed_within_a_second_and_proves_itself_with_the_public_key_alone()
    {
        var (bearer, transaction) = (Bearer(), await PostAsync("receipt-1"));
        var started = TimeProvider.System.GetTimestamp();

        var receipt = await SealedAsync(transaction, bearer);

        // As measured here, with a busy machine's allowance on top.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.Zero, Promised * BusyMachine);
        var published = await ledger.Service.CallAsync(HttpMethod.Get, "/v1/checkpoints/key", bearer);
        using var key = ECDsa.Create();
        key.ImportFromPem(published.GetProperty("pem").GetString());
        Assert.Equal("P-256", published.GetProperty("jwk").GetProperty("crv").GetString());
        Assert.Contains(transaction, Evidence.Check(receipt, new PublicKeys(key))[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receipt_is_nobody_else_s_business()
    {
        var transaction = await PostAsync("receipt-2");
        var stranger = ledger.Sidecar.IssueKey(MerchantId.New(TimeProvider.System), "ledger:read");

        await ledger.Service.CallAsync(
            HttpMethod.Get,
            $"/v1/transactions/{transaction}/receipt",
            stranger,
            status: 404
        );
        await ledger.Service.CallAsync(
            HttpMethod.Get,
            $"/v1/transactions/{transaction}/receipt",
            bearer: null,
            status: 401
        );
    }

    [Fact]
    public async Task Whoever_kept_an_old_checkpoint_can_see_that_the_log_only_grew()
    {
        var bearer = Bearer();
        await SealedAsync(await PostAsync("receipt-3"), bearer);
        var old = (await ledger.Service.CallAsync(HttpMethod.Get, "/v1/checkpoints/latest", bearer))
            .GetProperty("size")
            .GetInt64();
        await SealedAsync(await PostAsync("receipt-4"), bearer);

        var proof = await ledger.Service.CallAsync(HttpMethod.Get, $"/v1/checkpoints/consistency?from={old}", bearer);

        using var key = Key();
        Assert.Contains(
            $"begins with all {old} leaves",
            Evidence.Check(proof, new PublicKeys(key))[0],
            StringComparison.Ordinal
        );
        var found = await ledger.Service.CallAsync(HttpMethod.Get, $"/v1/checkpoints/{old}", bearer);
        Assert.Equal(proof.GetProperty("from").GetString(), found.GetProperty("note").GetString());
        await ledger.Service.CallAsync(HttpMethod.Get, "/v1/checkpoints/consistency?from=999999", bearer, status: 404);
    }

    [Fact]
    public async Task Checkpoints_are_listed_from_new_to_old_page_by_page()
    {
        var bearer = Bearer();
        for (var i = 0; i < 3; i++)
        {
            await SealedAsync(await PostAsync($"receipt-list-{i}"), bearer);
        }

        var (sizes, cursor) = (new List<long>(), "");
        do
        {
            var page = await ledger.Service.CallAsync(HttpMethod.Get, $"/v1/checkpoints?limit=2{cursor}", bearer);
            sizes.AddRange(page.GetProperty("data").EnumerateArray().Select(c => c.GetProperty("size").GetInt64()));
            cursor = page.TryGetProperty("next_cursor", out var next) ? $"&cursor={next.GetString()}" : "";
        } while (cursor.Length > 0);

        Assert.True(sizes.Count >= 3);
        Assert.Equal(sizes.OrderDescending(), sizes);
    }

    [Fact]
    public async Task What_was_acknowledged_before_a_kill_is_sealed_after_the_restart_and_the_file_stays_one_history()
    {
        var bearer = Bearer();
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.OpenAsync("sealed-after-kill")
        );
        var acknowledged = await Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(async i =>
                    (await ledger.PostAsync($"before-kill-{i}", clearing, card, 1)).Transaction.TransactionId
                )
        );
        ledger.Kill();
        await ledger.Service.DisposeAsync();
        await ledger.StartAsync();

        using var key = Key();
        foreach (var transaction in acknowledged)
        {
            Assert.Equal(3, Evidence.Check(await SealedAsync(transaction, bearer), new PublicKeys(key)).Count);
        }

        await using var database = NpgsqlDataSource.Create(ledger.Database.ConnectionString);
        await using var count = database.CreateCommand(
            "SELECT count(*) = (SELECT count(*) FROM transactions) FROM log_leaves"
        );
        Assert.Equal(true, await count.ExecuteScalarAsync());
        await Eventually.TrueAsync(async () =>
        {
            await using var last = database.CreateCommand("SELECT max(size) FROM log_checkpoints");
            return CheckpointFile.Read(ledger.CheckpointPath).Last().Size == (long)(await last.ExecuteScalarAsync())!;
        });
        var kept = CheckpointFile.Read(ledger.CheckpointPath).ToList();
        Assert.Equal(kept.Select(c => c.Size).Distinct().Order(), kept.Select(c => c.Size));
        Assert.All(kept, checkpoint => Assert.True(checkpoint.IsSignedBy(key)));
    }

    [Fact]
    public async Task Checkpoints_are_published()
    {
        var receipt = await SealedAsync(await PostAsync("receipt-5"), Bearer());
        var note = receipt.GetProperty("checkpoint").GetString();

        await Eventually.TrueAsync(() =>
            ledger.Sidecar.Published.Any(e =>
                e.GetProperty("topic").GetString() == "ledger.checkpoints.v1"
                && e.GetProperty("event")
                    .GetRawText()
                    .Contains(JsonSerializer.Serialize(note)[1..40], StringComparison.Ordinal)
            )
        );
    }

    private static ECDsa Key()
    {
        var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(RunningService.CheckpointKey), out _);
        return key;
    }

    private string Bearer() => ledger.Sidecar.IssueKey(ledger.Merchant, "ledger:read");

    private async Task<string> PostAsync(string key)
    {
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.OpenAsync("receipts")
        );
        return (await ledger.PostAsync(key, clearing, card, 100)).Transaction.TransactionId;
    }

    private async Task<JsonElement> SealedAsync(string transaction, string bearer)
    {
        JsonElement receipt = default;
        await Eventually.TrueAsync(async () =>
        {
            receipt = await ledger.Service.CallAsync(
                HttpMethod.Get,
                $"/v1/transactions/{transaction}/receipt",
                bearer,
                status: (int)HttpStatusCode.OK
            );
            return receipt.GetProperty("sealed").GetBoolean();
        });
        return receipt;
    }
}
