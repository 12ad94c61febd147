using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;
using LocalPlus.Console.Pages;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Unit.Console;

/// <summary>One plain sentence about a run, in both languages.</summary>
public sealed class RunSentenceTests
{
    private static readonly DateTimeOffset At = new(2026, 3, 10, 14, 2, 10, TimeSpan.Zero);

    [Theory]
    [InlineData("en", "Waiting to try capture again, attempt 3, next 2026-03-10 14:02:10 UTC: ledger timeout.")]
    [InlineData(
        "fr",
        "En attente d’un nouvel essai de capture, essai 3, prochain 2026-03-10 14:02:10 UTC : ledger timeout."
    )]
    public void A_run_that_is_tried_again_says_what_when_and_why(string language, string expected) =>
        Assert.Equal(
            expected,
            RunSentence.Of(
                Run("retrying") with
                {
                    Step = "capture",
                    Attempts = 2,
                    DueAt = At,
                    LastError = "ledger timeout",
                },
                In(language)
            )
        );

    [Fact]
    public void A_held_one_says_until_when_and_how_much() =>
        Assert.Equal(
            "30.00 EUR are held until 2026-03-10 14:02:10 UTC; the till has not confirmed.",
            RunSentence.Of(Run("waiting") with { HoldExpiresAt = At }, In("en"))
        );

    [Fact]
    public void A_parked_one_without_an_error_does_not_invent_one() =>
        Assert.Equal(
            "Parked after 8 attempts: no error was kept. 30.00 EUR wait; somebody has to look.",
            RunSentence.Of(Run("parked") with { Attempts = 8 }, In("en"))
        );

    [Theory]
    [InlineData(0, "EUR", "0.00 EUR")]
    [InlineData(-5, "EUR", "-0.05 EUR")]
    [InlineData(1234, "JPY", "1234 JPY")]
    [InlineData(1234, "KWD", "1.234 KWD")]
    public void Money_is_written_with_its_currencys_decimals(long minor, string currency, string expected) =>
        Assert.Equal(expected, new Amount(minor, currency).ToString());

    private static Run Run(string health) =>
        new(
            "red_1",
            "mrc_1",
            null,
            health,
            "held",
            "two_phase",
            new(3000, "EUR"),
            new(3000, "EUR"),
            new(0, "EUR"),
            new(0, "EUR"),
            null,
            null,
            "started",
            null,
            0,
            null
        );

    private static Words In(string language)
    {
        var http = new DefaultHttpContext();
        http.Request.Headers.AcceptLanguage = language;
        return new Words(new HttpContextAccessor { HttpContext = http });
    }
}
