using System.Net;
using System.Text;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace LocalPlus.Identity;

/// <summary>The pages: who are you, which code does the terminal show, done.</summary>
internal static class SignIn
{
    private const string Path = "/sign-in";

    public static void MapSignIn(this WebApplication app)
    {
        app.MapGet("/", () => Results.Redirect(Path));
        app.MapGet(Path, (HttpContext http, IAntiforgery forgery, string? back) => Choose(http, forgery, back));
        app.MapPost(Path, EnterAsync);
        app.MapGet("/done", () => Page("Done", "<p>You can go back to the terminal.</p>"));
    }

    /// <summary>Sends the browser here first, and from here to where it was going.</summary>
    public static IResult Ask(string back) => Results.Redirect($"{Path}?back={Uri.EscapeDataString(back)}");

    public static IResult AskForCode(bool isWrong) =>
        Page(
            "Sign in the command line",
            $"""
            {(isWrong ? "<p role=\"alert\">There is no such code, or it is too old.</p>" : "")}
            <form method="get" action="/connect/verify">
              <label>The code that the terminal shows
              <input name="user_code" autocomplete="off" autofocus required></label>
              <button>Go on</button>
            </form>
            """
        );

    public static IResult Confirm(string code, Person who) =>
        Page(
            "Sign in the command line",
            $"""
            <p>{Text(who.Name)}, does the terminal show <strong>{Text(code)}</strong>?</p>
            <form method="post" action="/connect/verify">
              <input type="hidden" name="user_code" value="{Text(code)}">
              <button autofocus>Yes, sign it in</button>
            </form>
            """
        );

    private static IResult Choose(HttpContext http, IAntiforgery forgery, string? back)
    {
        var token = forgery.GetAndStoreTokens(http);
        var buttons = new StringBuilder();
        foreach (var person in People.All)
        {
            buttons.Append(
                $"""
                <li><button name="person" value="{person.Subject}">
                <strong>{person.Name}</strong> {person.What}</button></li>
                """
            );
        }

        return Page(
            "Who are you?",
            $"""
            <p>This provider is part of the local stack: it asks for no password
            and is reached from this machine alone.</p>
            <form method="post" action="{Path}">
              <input type="hidden" name="{token.FormFieldName}" value="{token.RequestToken}">
              <input type="hidden" name="back" value="{Text(back ?? "/done")}">
              <ul>{buttons}</ul>
            </form>
            """
        );
    }

    private static async Task<IResult> EnterAsync(HttpContext http, IAntiforgery forgery, CancellationToken cancel)
    {
        await forgery.ValidateRequestAsync(http);
        var form = await http.Request.ReadFormAsync(cancel);
        if (People.Find(form["person"]) is not { } person)
        {
            return Results.Redirect(Path);
        }

        await http.SignInAsync(CookieAuthenticationDefaults.AuthenticationScheme, Protocol.Session(person));
        var back = form["back"].ToString();
        // Never to another site: one slash, and no second one that would make a host of what follows.
        return Results.Redirect(back is ['/', not ('/' or '\\'), ..] ? back : "/done");
    }

    private static IResult Page(string title, string body) =>
        Results.Content(
            $$"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8"><link rel="icon" href="data:,">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{{title}}</title>
            <style>
              body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 3rem auto; padding: 0 1rem }
              html { color-scheme: light dark }
              ul { list-style: none; padding: 0 } li { margin: .5rem 0 }
              button { font: inherit; padding: .6rem 1rem; text-align: left; cursor: pointer } li button { width: 100% }
            </style>
            <main><h1>{{title}}</h1>
            {{body}}
            </main>
            </html>
            """,
            "text/html; charset=utf-8"
        );

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
