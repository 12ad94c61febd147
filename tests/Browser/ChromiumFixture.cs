using LocalPlus.Tests.EndToEnd;
using Microsoft.Playwright;

namespace LocalPlus.Tests.Browser;

/// <summary>Debian's Chromium in front of a whole stack.</summary>
public sealed class ChromiumFixture : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";
    private IPlaywright? playwright;
    private IBrowser? browser;

    public StackFixture Stack { get; } = new();

    public async Task InitializeAsync()
    {
        await Stack.InitializeAsync();
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = Chromium, Args = ["--no-sandbox", "--disable-gpu"] }
        );
    }

    public async Task DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
        await Stack.DisposeAsync();
    }

    /// <summary>A fresh browser in which somebody has signed in.</summary>
    /// <param name="home">Where they come to: operators to the overview, a merchant's people to their shop.</param>
    public async Task<Visit> SignInAsync(
        string person,
        BrowserNewContextOptions? options = null,
        string home = "/console"
    )
    {
        var context = await browser!.NewContextAsync(options ?? new() { Locale = "en-GB" });
        var visit = new Visit(await context.NewPageAsync(), Stack.LocalPlus.Gateway);
        await visit.GoAsync("/console");
        await visit.Page.ClickAsync($"button[value='{person}']");
        await visit.Page.WaitForURLAsync($"**{home}");
        return visit;
    }
}

/// <summary>A page, and everything that it complained about or asked for on the way.</summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly Uri home;

    public Visit(IPage page, Uri home)
    {
        Page = page;
        this.home = home;
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                Complaints.Add(message.Text);
            }
        };
        page.PageError += (_, error) => Complaints.Add(error);
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
            {
                Complaints.Add($"{response.Status} {response.Url}");
            }
        };
        page.RequestFinished += (_, request) => Requests.Add(request);
    }

    public IPage Page { get; }

    public List<string> Complaints { get; } = [];

    public List<IRequest> Requests { get; } = [];

    public Task GoAsync(string path) => Page.GotoAsync(new Uri(home, path).ToString());

    public async ValueTask DisposeAsync() => await Page.Context.DisposeAsync();
}

[CollectionDefinition(Name)]
public sealed class BrowserTests : ICollectionFixture<ChromiumFixture>
{
    public const string Name = "a browser";
}
