using System.Globalization;

namespace LocalPlus.Perf.Transfer;

/// <summary>Transfers of 1 minor unit between accounts over a ledger's REST.</summary>
/// <param name="apiKey">Whose accounts they are; null: the developer's.</param>
internal sealed class TransferLoad(LedgerUnderTest ledger, BenchAccounts accounts, string? apiKey = null)
{
    public async Task<Load> SendAsync(BenchOptions options, AccountPicker pick, CancellationToken cancel)
    {
        using var wires = new HttpWires(ledger.Address, options.Clients);
        var bearer = apiKey ?? Api.Setting("LP_API_KEY");
        return await LoadRunner.SendAsync(
            options,
            async (client, _, end) =>
            {
                var key = Guid.CreateVersion7().ToString("N");
                var (source, destination) = pick();
                var body = string.Create(
                    CultureInfo.InvariantCulture,
                    $$$"""{"reference":"{{{key}}}","kind":"bench","postings":[{"source":"{{{accounts.Ids[source]}}}","""
                        + $$$"""
                        "destination":"{{{accounts.At(destination)}}}","amount":1}]}
                        """
                );
                return (
                    await wires[client].SendAsync(new("POST", "/v1/transactions", bearer, body, key), end)
                ).FailureUnless(201);
            },
            cancel
        );
    }
}
