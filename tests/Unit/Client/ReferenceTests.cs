using System.Text;
using LocalPlus.Client.Catalog;

namespace LocalPlus.Tests.Unit.Client;

/// <summary>
/// docs/reference/cli.md is written from the table; LP_GOLDEN=write (./localplus golden unit) rewrites it.
/// </summary>
public sealed class ReferenceTests
{
    private const string Reference = "docs/reference/cli.md";

    private const string Head = """
        # Command line

        Written from the table of verbs (`eng/client/Catalog`) by `./localplus golden unit`; edit the table.

        `./localplus` in a checkout and `localplus` anywhere ([how to make it](../../eng/README.md)) have the same
        verbs. Where to and as whom is a profile:

        ```
        localplus profile set shop --url https://api.example --issuer https://id.example --key -
        localplus login             # confirm a code in a browser, for verbs that people are asked for
        localplus whoami            # the key's merchant, whoever signed in
        ```

        A profile lies in `$XDG_CONFIG_HOME/localplus/profiles.json` (mode 0600). `--profile`, then
        `LOCALPLUS_PROFILE`, then `profile use` say which is meant; else it is `local`, the stack of the checkout that
        one is in, which needs no set-up: there `--role operator` is an operator without a sign-in.
        `LOCALPLUS_API_KEY` and `LOCALPLUS_TOKEN` go before the profile's. Verbs that need a scope take the key (or the
        sign-in of one of the team, with `--person` or without a key), those that need a role take the sign-in.

        - `-o table|json|csv`: data is on standard output, all else on standard error. `json` is the API's own. In
          `csv` an amount is two columns, and text that a spreadsheet would take for a formula has a `'` before it.
        - `--filter NAME=VALUE` as often as one likes; `--limit N` follows pages, `--all` up to 10,000 rows (more is
          exit code 1).
        - `--watch` looks again every `--interval` seconds, until Ctrl-C.
        - `--dry-run` prints what would be sent, or what the API says it would do (*).
        - A write whose outcome is unknown says the `--idempotency-key` with which a repeat is safe.
        - Amounts are written as `12.50EUR`. A secret given as `-` is read from standard input.
        - ⚑ wants a sign-in of the last five minutes; `login` renews it.

        | exit code | |
        |---|---|
        | 0 | ok |
        | 1 | failed |
        | 2 | usage: what was said is not understood, here or by the API (400, 413, 415) |
        | 3 | not found: the object, a file, a profile |
        | 4 | refused: no right, or a rule (401, 403, 409, 422) |
        | 5 | unavailable: no answer, 429 or 5xx; later it may work |

        A refusal names the problem's code, the request's id, the next step and the page: [problems](problems.md).

        Beside the table: `login` `logout` `whoami` `profile list|use|set|remove`, `import FILE` (upload, check and
        with `--commit` take over cards that were sold elsewhere), `redemptions watch ID`, `events resend ID`,
        `completion bash|zsh`, and `api METHOD PATH` for any other route.

        | command | route | needs | filters, *fields* |
        |---|---|---|---|

        """;

    [Fact]
    public void The_reference_is_what_the_table_says()
    {
        var actual = Head + Rows();
        var path = Path.Combine(Contract.Root, Reference);
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            File.WriteAllText(path, actual);
        }

        Assert.True(
            File.Exists(path) && File.ReadAllText(path) == actual,
            $"{Reference} is stale: ./localplus golden unit"
        );
    }

    private static string Rows()
    {
        var text = new StringBuilder();
        foreach (var verb in ApiTable.Verbs.OrderBy(v => v.Noun, StringComparer.Ordinal))
        {
            var words = verb.Arguments.Select(name => name.ToUpperInvariant());
            var filters = verb.FilterNames.Select(name => verb.RequiredFilters.Contains(name) ? $"{name}!" : name);
            var fields = verb.Fields.Select(field => $"*{field.Option}*{(field.IsRequired ? "!" : "")}");
            text.Append(
                $"| `{string.Join(' ', [verb.FullName, .. words])}` | `{verb.Route}` "
                    + $"| {verb.Needs}{(verb.IsDangerous ? " ⚑" : "")}{(verb.DryRunField is null ? "" : " (*)")} "
                    + $"| {string.Join(' ', [.. filters, .. fields])} |\n"
            );
        }

        return text.ToString();
    }
}
