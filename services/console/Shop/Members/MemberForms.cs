using LocalPlus.Console.Api;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Console.Shop.Members;

/// <summary>The forms about members: find one, enrol one. An address is sent on and neither kept nor shown.</summary>
internal static class MemberForms
{
    public static RouteGroupBuilder MapMemberForms(this RouteGroupBuilder shop)
    {
        shop.MapPost("/members", EnrolAsync);
        shop.MapPost("/members/find", FindAsync);
        return shop;
    }

    private static async Task<IResult> EnrolAsync(
        [FromForm] string program,
        [FromForm] string? email,
        [FromForm] string? phone,
        [FromForm] string once,
        Platform platform,
        ConsoleSettings settings
    )
    {
        settings.RequireWritable();
        Telemetry.Acted("member");
        var member = await platform.PostAsync<Member>(
            "/v1/members",
            new
            {
                program_id = program,
                email = Filled(email),
                phone = Filled(phone),
            },
            Once.Of(once)
        );
        return Page(member);
    }

    private static async Task<IResult> FindAsync([FromForm] string program, [FromForm] string who, Platform platform)
    {
        var typed = who.Trim();
        object body =
            typed.Contains('@', StringComparison.Ordinal) ? new { program_id = program, email = typed }
            : typed.StartsWith('+') ? new { program_id = program, phone = typed }
            : new { program_id = program, card_number = typed };
        return Page(await platform.PostAsync<Member>("/v1/members/find", body));
    }

    private static string? Filled(string? field) => string.IsNullOrWhiteSpace(field) ? null : field.Trim();

    private static IResult Page(Member member) => Results.LocalRedirect($"{ShopFeature.Root}/members/{member.Id}");
}
