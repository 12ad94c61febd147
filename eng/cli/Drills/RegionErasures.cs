using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>
/// Somebody whom the kept log knows and who was forgotten after it, and the operators' copy of the list of who was
/// (docs/guides/after-a-restore.md).
/// </summary>
internal sealed class RegionErasures
{
    private const string List = "/ops/v1/wallet/erasures";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private readonly string _person;
    private readonly JsonNode _copy;

    private RegionErasures(string person, JsonNode copy) => (_person, _copy) = (person, copy);

    /// <summary>Somebody new; the path of the customer.</summary>
    public static async Task<string> ComeAsync(Shop shop)
    {
        var made = await shop.AskAsync("/v1/customers", new JsonObject { ["email"] = "somebody@example.com" });
        return $"/v1/customers/{Must(made, 201).Text("id")}";
    }

    /// <summary>Waits until all that is committed now has been streamed out.</summary>
    public static async Task LogIsKeptAsync(DrillStack stack, CancellationToken cancel)
    {
        const string Written = "SELECT (pg_current_wal_lsn() - '0/0')::bigint";
        const string Kept = "SELECT coalesce(min(write_lsn - '0/0'), 0)::bigint FROM pg_stat_replication";
        var end = await stack.CountAsync("postgres", Written, cancel);
        while (await stack.CountAsync("postgres", Kept, cancel) < end)
        {
            await Task.Delay(Poll, cancel);
        }
    }

    /// <summary>The person is forgotten, and the copy has it.</summary>
    public static async Task<RegionErasures> ForgetAsync(
        DrillStack stack,
        Shop shop,
        string person,
        CancellationToken cancel
    )
    {
        Must(await shop.AskAsync($"{person}/erase", []), 200);
        using var admin = Admin(stack);
        return new(person, Must(await admin.GetAsync(List, cancel), 200).At("erasures")!.DeepClone());
    }

    /// <summary>Who is back with the log is forgotten again; how many that were.</summary>
    public async Task<int> ApplyAsync(DrillStack stack, Shop shop, CancellationToken cancel)
    {
        Must(await shop.ReadAsync(_person), 200);
        using var admin = Admin(stack);
        var copy = new JsonObject { ["erasures"] = _copy.DeepClone() };
        var applied = Must(await admin.PostAsync(List, copy, Shop.NewKey(), cancel), 200);
        Must(await shop.ReadAsync(_person), 404);
        return (int)applied.Number("forgotten")!.Value;
    }

    private static Rest Admin(DrillStack stack) =>
        new(stack.Ports.GatewayUrl, Operators.Mint(stack.Checkout, "admin", "drill"), Patience);

    private static RestAnswer Must(RestAnswer answer, int status) =>
        answer.Status == status
            ? answer
            : throw new CliFailure(
                ExitCodes.Failed,
                $"{answer.Status} in the place of {status}: {answer.Body?.ToJsonString()}",
                "eng/cli/Drills/RegionErasures.cs"
            );
}
