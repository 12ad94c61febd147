using Microsoft.Playwright;

namespace LocalPlus.Tests.Browser;

/// <summary>The till on a telephone: with a network, without one, and when it is back.</summary>
[Collection(BrowserTests.Name)]
public sealed class TillTests(ChromiumFixture chromium)
{
    private const string Till = "/console/till";

    private static readonly BrowserNewContextOptions Telephone = new()
    {
        Locale = "en-GB",
        ViewportSize = new() { Width = 360, Height = 740 },
        HasTouch = true,
        IsMobile = true,
    };

    [Fact]
    public async Task A_card_is_sold_and_taken_by_phone()
    {
        await using var visit = await chromium.SignInAsync("olga", Telephone, "/console/shop");
        var code = await SellAsync(visit, "30");
        await visit.GoAsync(Till);

        await visit.Page.FillAsync("[name=code]", code.ToLowerInvariant());
        await visit.Page.FillAsync("#take [name=amount]", "12,50");
        await visit.Page.ClickAsync("button[value=redeem]");

        await visit.Page.WaitForURLAsync("**/till?redemption=rdm_*");
        var text = await visit.Page.InnerTextAsync("main");
        Assert.Contains("12.50 EUR are paid.", text, StringComparison.Ordinal);
        Assert.Contains("17.50 EUR are left", text, StringComparison.Ordinal);
        await visit.Page.ScreenshotAsync(new() { Path = Pictures.At("till-receipt"), FullPage = true });
        Assert.Equal([], visit.Complaints);
    }

    [Fact]
    public async Task It_goes_on_without_a_network_within_its_allowance_and_hands_in_what_it_took()
    {
        await chromium.TerminalAsync();
        await using var visit = await chromium.SignInAsync("olga", Telephone, "/console/shop");
        var (rich, poor) = (await SellAsync(visit, "40"), await SellAsync(visit, "5"));
        await visit.GoAsync(Till);
        await visit.Page.ClickAsync("form[action$='/place'] button");
        await visit.Page.WaitForLoadStateAsync();
        await visit.Page.ClickAsync("summary:has-text('Without a network')");
        await visit.Page.FillAsync("[name=card_cap]", "20");
        await visit.Page.FillAsync("[name=total_cap]", "35");
        await visit.Page.ClickAsync("#allowance button");
        await Assertions.Expect(visit.Page.Locator("[data-allowance]")).ToContainTextAsync("35.00 EUR left until");
        await visit.Page.EvaluateAsync("navigator.serviceWorker.ready.then(() => true)");

        await visit.Page.Context.SetOfflineAsync(true);
        await visit.GoAsync(Till);
        await visit.Page.ScreenshotAsync(new() { Path = Pictures.At("till-offline"), FullPage = true });
        await TakeAsync(visit, rich, "15", "Taken. It is sent when the network is back.");
        await TakeAsync(visit, rich, "6", "more than the allowance has left");
        await TakeAsync(visit, poor, "18", "Taken. It is sent when the network is back.");
        await TakeAsync(visit, poor, "2.01", "more than the allowance has left");
        await TakeAsync(visit, "O", "1", "The code or the amount can not be right.");
        await Assertions.Expect(visit.Page.Locator("[data-queue] li")).ToHaveCountAsync(2);
        Assert.DoesNotContain(rich, await StoredAsync(visit), StringComparison.Ordinal);

        await visit.Page.Context.SetOfflineAsync(false);
        await visit.GoAsync(Till);
        var queue = visit.Page.Locator("[data-queue]");
        // An item that is still being carried out is asked for again by the next look at the page.
        for (var look = 0; look < 30 && (await queue.InnerTextAsync()).Contains('…', StringComparison.Ordinal); look++)
        {
            await visit.GoAsync(Till);
            await Assertions.Expect(queue.Locator("li").First).ToBeVisibleAsync();
        }

        await Assertions.Expect(queue).ToContainTextAsync("15.00 EUR");
        await Assertions.Expect(queue).ToContainTextAsync("5.00 EUR is short of 13.00 EUR");
        Assert.Contains(
            "25.00 EUR, of which 0.00 EUR are held",
            await LookAsync(visit, rich),
            StringComparison.Ordinal
        );
        Assert.Contains("0.00 EUR, of which 0.00 EUR are held", await LookAsync(visit, poor), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_merchants_first_hour_in_french()
    {
        await using var visit = await chromium.SignInAsync(
            "olga",
            new()
            {
                Locale = "fr-FR",
                ViewportSize = new() { Width = 1280, Height = 800 },
            },
            "/console/shop"
        );
        foreach (var page in new[] { "shop", "shop/cards", "shop/programs", "shop/reports", "shop/places", "till" })
        {
            await visit.GoAsync($"/console/{page}");
            await visit.Page.ScreenshotAsync(
                new() { Path = Pictures.At($"fr-{page.Replace('/', '-')}"), FullPage = true }
            );
        }

        Assert.Contains("Encaisser", await visit.Page.InnerTextAsync("main"), StringComparison.Ordinal);
        Assert.Equal([], visit.Complaints);
    }

    private static async Task TakeAsync(Visit visit, string code, string amount, string said)
    {
        await visit.Page.FillAsync("[name=code]", code);
        await visit.Page.FillAsync("#take [name=amount]", amount);
        await visit.Page.ClickAsync("#take button.main");
        await Assertions.Expect(visit.Page.Locator("[data-allowance]")).ToContainTextAsync(said);
    }

    private static async Task<string> LookAsync(Visit visit, string code)
    {
        await visit.GoAsync(Till);
        await visit.Page.FillAsync("[name=code]", code);
        await visit.Page.ClickAsync("button[value=look]");
        return await visit.Page.Locator("main .done").InnerTextAsync();
    }

    private static async Task<string> SellAsync(Visit visit, string amount)
    {
        await visit.GoAsync("/console/shop/cards");
        await visit.Page.FillAsync("form:has([name=program]) [name=amount]", amount);
        await visit.Page.ClickAsync("form:has([name=program]) button");
        return await visit.Page.Locator("dt:text-is('Code') + dd").InnerTextAsync();
    }

    /// <summary>Everything the browser keeps of the queue, as text.</summary>
    private static Task<string> StoredAsync(Visit visit) =>
        visit.Page.EvaluateAsync<string>(
            """
            () => new Promise(done => {
              const asked = indexedDB.open("localplus-till");
              asked.onsuccess = () => {
                const read = asked.result.transaction("state").objectStore("state").get("till");
                read.onsuccess = () => done(JSON.stringify(read.result));
              };
            })
            """
        );
}
