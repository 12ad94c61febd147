using System.Globalization;

namespace LocalPlus.Cli;

/// <summary>Somebody writes into a database past the platform.</summary>
internal static class BookDrills
{
    private const long Value = 5000;
    private const long Price = 1200;
    private const string Trigger = "audit_entries_append_only";

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "books-differ",
            "a row of the ledger is changed past it: one cent more is held than there are holds",
            "The overview and Findings: which account, what is expected and what is there, since when, what to do.",
            "Find out who wrote there and take it back; the next comparison is clean, and somebody says what it was.",
            BooksAsync
        ),
        new(
            "audit-tampered",
            "an entry of a shop's audit is changed in the database",
            "Audit, chain checked: which entry is not as it was written, that it is edited, what to do.",
            "Put back what was written, from an export or a backup: the chain and its signature hold again.",
            AuditAsync
        ),
    ];

    private static async Task BooksAsync(FaultScene scene)
    {
        var card = await scene.SellAsync(Value);
        var id = await scene.HoldAsync(card, Price);
        var account = await scene.SqlAsync(
            "ledger",
            "SELECT i.account_id FROM holds h JOIN hold_items i USING (hold_id) ORDER BY h.placed_at DESC LIMIT 1"
        );
        await scene.BreakAsync(
            "somebody writes into the ledger's table of accounts",
            () => scene.SqlAsync("ledger", $"UPDATE accounts SET held = held + 1 WHERE account_id = '{account}'"),
            () => scene.SqlAsync("ledger", $"UPDATE accounts SET held = held - 1 WHERE account_id = '{account}'")
        );
        await scene.VerbAsync("job", "run", "ledger-reconciliation");
        var finding = await scene.UntilAsync(
            "the comparison names the account",
            () => scene.Operator.GetAsync("/ops/v1/ledger/findings?open=true", scene.Cancel),
            findings => findings.Text("data.0.kind") == "held"
        );
        await scene.ReadsAsync("/console", "findings are open");
        await scene.ReadsAsync(
            "/console/findings",
            finding.Text("data.0.subject")!,
            finding.Text("data.0.expected")!,
            finding.Text("data.0.actual")!,
            "Find out who wrote there"
        );
        var proof = await scene.Operator.GetAsync("/ops/v1/ledger/proof", scene.Cancel);
        scene.Narrator.Check(proof.Text("balanced") != "true", "the proof of the books does not hold", proof);
        await scene.MendAsync();
        await scene.OperateAsync(
            "operator",
            "a drill wrote there, taken back",
            "findings",
            "acknowledge",
            finding.Text("data.0.finding_id")!
        );
        await scene.VerbAsync("job", "run", "ledger-reconciliation");
        await scene.UntilAsync(
            "the next comparison is clean",
            () => scene.Operator.GetAsync("/ops/v1/ledger/findings?open=true", scene.Cancel),
            findings => findings.At("data")?.AsArray().Count == 0
        );
        await scene.ConfirmAsync(id);
        await scene.ChargedOnceAsync(card, id, Value - Price);
    }

    private static async Task AuditAsync(FaultScene scene)
    {
        var (merchant, _) = await scene.OnboardAsync("Audited for a drill");
        await scene.UntilAsync(
            "its audit has an entry, and is as it was written",
            () => VerifiedAsync(scene, merchant),
            answer => answer.Text("verified") == "true" && answer.Number("size") > 0
        );
        var entry = $"FROM audit_entries WHERE position = 1 AND entry LIKE '%{merchant.MerchantId}%'";
        var kept = await scene.SqlAsync(
            "merchant",
            $"SELECT chain || '|' || replace(encode(convert_to(entry, 'UTF8'), 'base64'), E'\\n', '') {entry} LIMIT 1"
        );
        var (chain, text) = (kept.Split('|')[0], kept.Split('|')[1]);
        await scene.BreakAsync(
            "somebody changes the entry in the table",
            () => WriteAsync(scene, chain, "replace(entry, '\"action\":\"', '\"action\":\"no_')"),
            () => WriteAsync(scene, chain, $"convert_from(decode('{text}', 'base64'), 'UTF8')")
        );
        await scene.ReadsAsync(
            $"/console/audit?merchant={merchant.MerchantId}&check=yes",
            "Entry 1 is not as it was written: edited.",
            "Keep the database as it is"
        );
        var found = await VerifiedAsync(scene, merchant);
        scene.Narrator.Check(
            found.Text("problem") == "edited" && found.Number("position") == 1,
            "so says the API: edited, at position 1",
            found
        );
        await scene.MendAsync();
        var mended = await VerifiedAsync(scene, merchant);
        scene.Narrator.Check(mended.Text("verified") == "true", "all entries are as they were written", mended);
    }

    private static Task<string> WriteAsync(FaultScene scene, string chain, string entry) =>
        scene.SqlAsync(
            "merchant",
            string.Create(
                CultureInfo.InvariantCulture,
                $"""
                BEGIN;
                ALTER TABLE audit_entries DISABLE TRIGGER {Trigger};
                UPDATE audit_entries SET entry = {entry} WHERE chain = '{chain}' AND position = 1;
                ALTER TABLE audit_entries ENABLE TRIGGER {Trigger};
                COMMIT;
                """
            )
        );

    private static Task<RestAnswer> VerifiedAsync(FaultScene scene, Developer merchant) =>
        scene.Operator.GetAsync($"/ops/v1/audit/verify?merchant_id={merchant.MerchantId}", scene.Cancel);
}
