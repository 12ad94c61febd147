using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Unit.Hosting;

public sealed class StrictJsonTests
{
    private sealed record Note(
        string? Text = null,
        DateTimeOffset? At = null,
        IReadOnlyDictionary<string, string>? Metadata = null,
        IReadOnlyList<string>? Items = null,
        Note? Inner = null
    );

    [Theory]
    [InlineData("""{"text":"a\u0000b"}""", "/text", "control_character")]
    [InlineData("""{"text":"a\u001b[2J"}""", "/text", "control_character")]
    [InlineData("""{"text":"a\u0085b"}""", "/text", "control_character")]
    [InlineData("""{"text":"\ud800"}""", "/text", "not_unicode")]
    [InlineData("""{"text":"\udc00x"}""", "/text", "not_unicode")]
    [InlineData("""{"inner":{"text":"\u0000"}}""", "/inner/text", "control_character")]
    [InlineData("""{"items":["x","\u0000"]}""", "/items/1", "control_character")]
    [InlineData("""{"metadata":{"a":"\u0000"}}""", "/metadata/a", "control_character")]
    public void Fault_22_A_text_that_nothing_can_keep_is_refused_where_it_stands(
        string json,
        string pointer,
        string code
    ) => Assert.Equal(new FieldError(pointer, code), Assert.Single(Refuse(json).Errors));

    [Theory]
    [InlineData("""{"metadata":{"a\u0000":"x"}}""")]
    [InlineData("""{"metadata":{"\ud800":"x"}}""")]
    [InlineData("""{"te\u0000xt":"x"}""")]
    [InlineData("""{"\ud800":"x"}""")]
    public void Fault_22_A_name_that_nothing_can_keep_is_refused(string json) =>
        Assert.Equal(400, Refuse(json).Fault.Status);

    [Fact]
    public void Fault_22_A_line_break_may_be_pasted_and_a_pair_of_surrogates_is_a_letter() =>
        Assert.Equal(
            "a\tb\r\n\ud83d\ude00",
            JsonSerializer.Deserialize<Note>("""{"text":"a\tb\r\n\ud83d\ude00"}""", StrictJson.Options)!.Text
        );

    [Theory]
    [InlineData("""{"metadata":{"b":"x","a":null}}""", "/metadata/a")]
    [InlineData("""{"inner":{"metadata":{"a/b~c":null}}}""", "/inner/metadata/a~1b~0c")]
    [InlineData("""{"items":["x",null]}""", "/items/1")]
    public void Fault_23_Null_in_a_map_or_list_is_refused_where_it_stands(string json, string pointer) =>
        Assert.Equal(new FieldError(pointer, "null"), Assert.Single(Refuse(json).Errors));

    [Theory]
    [InlineData("2031-12-31")]
    [InlineData("2031-12-31T00:00:00")]
    [InlineData("2031-12-31T00:00")]
    [InlineData("2031-12-31 00:00:00Z")]
    [InlineData("2031-12-31T00:00Z")]
    [InlineData("2031-12-31T24:00:00Z")]
    [InlineData("2031-02-30T00:00:00Z")]
    [InlineData("2031-12-31T00:00:00+25:00")]
    [InlineData("20311231T000000Z")]
    [InlineData("")]
    public void Fault_24_An_instant_without_its_offset_or_that_is_none_is_refused(string text)
    {
        Assert.False(Instants.TryParse(text, out _));
        Assert.Equal("/at", Assert.Single(Refuse($$"""{"at":"{{text}}"}""").Errors).Pointer);
    }

    [Theory]
    [InlineData("2031-12-31T00:00:00Z", "2031-12-31T00:00:00.000Z")]
    [InlineData("2031-12-31T00:00:00.9Z", "2031-12-31T00:00:00.900Z")]
    [InlineData("2031-12-31T13:00:00.123456789+13:00", "2031-12-31T00:00:00.123Z")]
    [InlineData("2031-12-30T20:00:00.000-04:00", "2031-12-31T00:00:00.000Z")]
    public void Fault_24_An_instant_is_kept_as_it_will_be_shown(string written, string shown)
    {
        var note = JsonSerializer.Deserialize<Note>($$"""{"at":"{{written}}"}""", StrictJson.Options)!;

        Assert.Equal($$"""{"at":"{{shown}}"}""", JsonSerializer.Serialize(note, StrictJson.Options));
        Assert.True(Instants.TryParse(shown, out var again));
        Assert.Equal(note.At, again);
    }

    [Fact]
    public void Fault_24_The_clock_has_no_more_than_answers_show() =>
        Assert.All(
            Enumerable.Range(0, 50),
            _ => Assert.Equal(0, new MillisecondClock().GetUtcNow().Ticks % TimeSpan.TicksPerMillisecond)
        );

    [Theory]
    [InlineData(null, "/")]
    [InlineData("$", "/")]
    [InlineData("$.amount.currency", "/amount/currency")]
    [InlineData("$.items[2].name", "/items/2/name")]
    [InlineData("$['a.b'][2]", "/a.b/2")]
    [InlineData("$.metadata['x/y~z']", "/metadata/x~1y~0z")]
    [InlineData("$['[\u0027[\u0027x'][0]", "/[\u0027[\u0027x/0")]
    [InlineData("$['a']b'].c", "/a\u0027]b/c")]
    [InlineData("$[''].c", "//c")]
    [InlineData("$['never ends", "/never ends")]
    public void A_pointer_is_that_of_RFC_6901(string? path, string pointer) =>
        Assert.Equal(pointer, FaultHandler.Pointer(path));

    private static FaultException Refuse(string json)
    {
        var exception = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Note>(json, StrictJson.Options));
        return FaultHandler.ToFault(new BadHttpRequestException("bad", 400, exception));
    }
}
