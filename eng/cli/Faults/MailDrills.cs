namespace LocalPlus.Cli;

/// <summary>Mails to holders do not go out.</summary>
internal static class MailDrills
{
    private const long Value = 5000;

    public static readonly IReadOnlyList<FaultDrill> All =
    [
        new(
            "mail-refused",
            "the mail server takes no mail",
            "Attention of notification: which message, `smtp_unavailable`, after how many tries, when it is "
                + "tried next.",
            "It heals by itself: when the server takes mail again each comes, once. What was given up is sent again "
                + "(`notifications resend`).",
            RefusedAsync
        ),
    ];

    private static async Task RefusedAsync(FaultScene scene)
    {
        var place = Path.Combine(scene.Checkout.Mail, "tmp");
        var away = $"{place}.away";
        await scene.BreakAsync(
            "where the mail server writes what it takes is gone",
            () => MoveAsync(place, away),
            () => MoveAsync(away, place)
        );
        var card = await scene.SellAsync(Value);
        var attention = await scene.UntilAsync(
            "operators see that its mail was refused",
            () => scene.Operator.GetAsync("/ops/v1/notification/attention", scene.Cancel),
            answer => answer.At("data")?.AsArray().Any(item => (string?)item!["error"] == "smtp_unavailable") == true
        );
        scene.Narrator.Check(
            attention
                .At("data")!
                .AsArray()
                .All(item => item!["next_try_at"] is not null || (string?)item["kind"] != "notifications"),
            "each says when it is tried next",
            attention
        );
        await scene.ReadsAsync(
            "/console/attention",
            "notifications",
            "smtp_unavailable",
            "The mail server is away or refuses mail: look at it.",
            "./localplus notifications resend ID"
        );
        scene.Narrator.Check(Mail.AddressedTo(scene.Checkout, card.Email).Count == 0, "no mail has come");
        await scene.MendAsync();
        await scene.UntilAsync(
            "nothing of it needs anybody any more",
            () => scene.Operator.GetAsync("/ops/v1/notification/attention", scene.Cancel),
            answer => answer.At("data")?.AsArray().All(item => (string?)item!["error"] != "smtp_unavailable") == true
        );
        var mails = Mail.AddressedTo(scene.Checkout, card.Email);
        scene.Narrator.Check(
            mails.Count == 1,
            $"the holder has the mail, once: {(mails is [var mail, ..] ? mail.Subject : "none")}"
        );
        await scene.BalancedAsync();
    }

    private static Task MoveAsync(string from, string to)
    {
        Directory.Move(from, to);
        return Task.CompletedTask;
    }
}
