using System.Text.Json.Nodes;
using LocalPlus.Client.Catalog;
using LocalPlus.Client.Output;

namespace LocalPlus.Tests.Unit.Client;

[Collection(StandardOutput.Name)]
public sealed class OutputTests
{
    private const string Body = """
        {"data":[{"id":"g","balance":{"amount":-1250,"currency":"EUR"},"reference":"=1+1","name":"a, \"b\"\nc","n":-5}]}
        """;

    private static readonly Column[] Columns =
    [
        .. "id balance:money reference name n gone".Split(' ').Select(Column.Parse),
    ];

    private static readonly JsonObject[] Rows =
    [
        .. JsonNode.Parse(Body)!["data"]!.AsArray().Select(row => (JsonObject)row!),
    ];

    [Fact]
    public void Json_is_what_the_API_said() => Assert.Equal(Body + "\n", Printed(OutputFormat.Json));

    [Fact]
    public void Csv_quotes_divides_amounts_and_disarms_formulas_but_no_number() =>
        Assert.Equal(
            "id,balance.amount,balance.currency,reference,name,n,gone\n"
                + "g,-1250,EUR,'=1+1,\"a, \"\"b\"\"\nc\",-5,\n",
            Printed(OutputFormat.Csv)
        );

    [Fact]
    public void A_table_is_a_line_a_row_with_amounts_as_people_write_them()
    {
        var lines = Printed(OutputFormat.Table).Split('\n');

        Assert.Matches(@"^id +balance +reference +name +n +gone$", lines[0].Trim());
        Assert.Matches(@"^g +-12\.50 EUR +=1\+1 +a, ""b"" c +-5 +-$", lines[1].Trim());
    }

    [Theory]
    [InlineData("""{"amount":5,"currency":"EUR"}""", "0.05 EUR")]
    [InlineData("""{"amount":-5,"currency":"EUR"}""", "-0.05 EUR")]
    [InlineData("""{"amount":500,"currency":"JPY"}""", "500 JPY")]
    [InlineData("""{"amount":1234567,"currency":"KWD"}""", "1234.567 KWD")]
    [InlineData("""["a","b"]""", "a, b")]
    [InlineData("\"red\\u001b[31m\"", "red [31m")]
    [InlineData("null", "-")]
    [InlineData("true", "true")]
    public void A_cell_is_for_people(string json, string shown) =>
        Assert.Equal(shown, Cells.ForPeople(JsonNode.Parse(json)));

    [Theory]
    [InlineData("+1")]
    [InlineData("-1")]
    [InlineData("@SUM(A1)")]
    [InlineData("=cmd|' /C calc'!A0")]
    [InlineData("\tx")]
    public void Text_that_begins_as_a_formula_does_is_text(string text) => Assert.Equal($"'{text}", CsvText.Text(text));

    [Fact]
    public void What_an_object_holds_is_shown_with_its_lists_as_tables()
    {
        var text = StandardOutput.Of(() =>
            Printer.Show(
                OutputFormat.Table,
                "",
                (JsonObject)JsonNode.Parse("""{"run":{"id":"rdm_1"},"steps":[{"step":"capture","attempts":3}]}""")!
            )
        );

        Assert.Matches(@"(?m)^\s*run\.id +rdm_1\s*$", text);
        Assert.Matches(@"(?m)^\s*step +attempts\s*$", text);
        Assert.Matches(@"(?m)^\s*capture +3\s*$", text);
    }

    [Theory]
    [InlineData("12.50EUR", 1250, "EUR")]
    [InlineData("12.5 eur", 1250, "EUR")]
    [InlineData("-3EUR", -300, "EUR")]
    [InlineData("500JPY", 500, "JPY")]
    public void An_amount_is_read_as_people_write_it(string text, long units, string currency)
    {
        var money = BodyField.Parse("amount!:money").Value(text, "cards load");

        Assert.Equal((units, currency), ((long)money["amount"]!, (string)money["currency"]!));
    }

    [Theory]
    [InlineData("12.505EUR")]
    [InlineData("1.5JPY")]
    [InlineData("12.EUR")]
    [InlineData("1.2.3EUR")]
    [InlineData("12")]
    [InlineData("twelveEUR")]
    [InlineData("12XYZ")]
    public void What_is_no_amount_is_a_usage_failure(string text)
    {
        var failure = Assert.Throws<LocalPlus.Client.CliFailure>(() =>
            BodyField.Parse("amount!:money").Value(text, "cards load")
        );

        Assert.Equal(LocalPlus.Client.ExitCodes.Usage, failure.ExitCode);
    }

    [Theory]
    [InlineData(100, 3)]
    [InlineData(25, 2)]
    [InlineData(5, 1)]
    public void A_list_on_a_narrow_terminal_leaves_out_columns_at_its_end(int width, int shown) =>
        Assert.Equal(
            shown,
            LocalPlus.Client.Terminal.Fitting(
                [
                    ["id", "state", "reference"],
                    ["rdm_1", "completed", "r"],
                ],
                width
            )
        );

    private static string Printed(OutputFormat format) =>
        StandardOutput.Of(() => Printer.Rows(format, Body, Rows, Columns));
}
