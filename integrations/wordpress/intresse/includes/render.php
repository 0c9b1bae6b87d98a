<?php
/**
 * A form on a page: the element that the service's script fills, and the script where there is one.
 *
 * @package Intresse
 */

defined( 'ABSPATH' ) || exit;

const INTRESSE_SCRIPT = 'intresse-embed';

/**
 * The attributes of a form: those of the block or shortcode, completed from the settings and the post.
 *
 * @param array<string, mixed> $asked   Attributes of the block or shortcode.
 * @param int                  $post_id The post that it stands in, or whose template it stands in; 0 for none.
 * @return array<string, string>
 */
function intresse_form( $asked, $post_id ) {
	$settings = intresse_settings();
	$text     = static function ( $name ) use ( $asked ) {
		return isset( $asked[ $name ] ) && is_scalar( $asked[ $name ] ) ? trim( (string) $asked[ $name ] ) : '';
	};
	$form     = array(
		'form'     => '' === $text( 'form' ) ? 'interest' : strtolower( $text( 'form' ) ),
		'customer' => intresse_id( $text( 'customer' ) ),
		'estate'   => intresse_id( $text( 'estate' ) ),
		'viewing'  => intresse_id( $text( 'viewing' ) ),
		'slot'     => intresse_id( $text( 'slot' ) ),
		'slots'    => sanitize_text_field( $text( 'slots' ) ),
		'title'    => sanitize_text_field( $text( 'title' ) ),
		'lang'     => in_array( $text( 'lang' ), array( 'sv', 'en' ), true ) ? $text( 'lang' ) : '',
		'theme'    => in_array( $text( 'theme' ), array( 'light', 'dark', 'auto' ), true ) ? $text( 'theme' ) : '',
	);
	if ( '' === $form['customer'] ) {
		$form['customer'] = $settings['customer'];
	}
	$forms = intresse_forms();
	if ( isset( $forms[ $form['form'] ] ) && ! $forms[ $form['form'] ]['needs_estate'] ) {
		$form['estate'] = '';
	} elseif ( '' === $form['estate'] && $post_id ) {
		$form['estate'] = intresse_id( get_post_meta( $post_id, $settings['estate_field'], true ) );
		if ( '' !== $form['estate'] && '' === $form['title'] ) {
			$form['title'] = wp_strip_all_tags( get_the_title( $post_id ) );
		}
	}
	if ( '' === $form['viewing'] || '' === $form['slot'] ) {
		$form['viewing'] = '';
		$form['slot']    = '';
		$form['slots']   = '';
	}
	return $form;
}

/**
 * Whether a form stands in a post. Beside a list of posts, as in a sidebar or a footer, WordPress takes the first or the
 * last of them for the current post, whose home has nothing to do with the form.
 *
 * @return bool
 */
function intresse_is_in_a_post() {
	return is_singular() || doing_filter( 'the_content' ) || did_action( 'loop_start' ) > did_action( 'loop_end' );
}

/**
 * Why the form can't be shown, for whoever edits the page; an empty string when it can.
 *
 * @param array<string, string> $form As `intresse_form()` makes it.
 * @return string
 */
function intresse_problem( $form ) {
	if ( ! intresse_is_configured() ) {
		return __( 'Intresse has no settings yet. An administrator enters them under Settings → Intresse.', 'intresse' );
	}
	$forms = intresse_forms();
	if ( ! isset( $forms[ $form['form'] ] ) ) {
		return sprintf(
			/* translators: 1: what was written, 2: the names of the forms. */
			__( 'There is no form “%1$s”. The forms are: %2$s.', 'intresse' ),
			$form['form'],
			implode( ', ', array_keys( $forms ) )
		);
	}
	if ( $forms[ $form['form'] ]['needs_estate'] && '' === $form['estate'] && '' === $form['viewing'] ) {
		return sprintf(
			/* translators: %s: the name of a custom field. */
			__( 'This form needs the id of a home: in the block’s settings, or in the post’s custom field “%s”.', 'intresse' ),
			intresse_settings()['estate_field']
		);
	}
	return '';
}

/**
 * The form's HTML; also enqueues the script. If the form can't be shown, visitors see nothing, and those who may edit
 * see why.
 *
 * @param array<string, mixed> $asked   Attributes of the block or shortcode.
 * @param int                  $post_id The current post, 0 for none.
 * @param string               $wrapper Attributes of the element, already escaped.
 * @return string
 */
function intresse_render( $asked, $post_id, $wrapper = '' ) {
	$post_id = intresse_is_in_a_post() ? $post_id : 0;
	$form    = intresse_form( $asked, $post_id );
	$problem = intresse_problem( $form );
	if ( '' !== $problem ) {
		$may_edit = $post_id ? current_user_can( 'edit_post', $post_id ) : current_user_can( 'edit_posts' );
		return $may_edit ? '<p class="intresse-notice"><em>' . esc_html( $problem ) . '</em></p>' : '';
	}
	wp_enqueue_script( INTRESSE_SCRIPT );
	$attributes = 'data-intresse="' . esc_attr( $form['form'] ) . '"';
	foreach ( array( 'customer', 'estate', 'viewing', 'slot', 'slots', 'title', 'lang', 'theme' ) as $name ) {
		if ( '' !== $form[ $name ] ) {
			$attributes .= ' data-' . $name . '="' . esc_attr( $form[ $name ] ) . '"';
		}
	}
	return sprintf(
		'<div %1$s %2$s><a href="%3$s">%4$s</a></div>',
		$wrapper,
		$attributes,
		esc_url( intresse_form_url( $form ) ),
		esc_html( intresse_forms()[ $form['form'] ]['link'] )
	);
}

add_action(
	'wp_enqueue_scripts',
	static function () {
		if ( intresse_is_configured() ) {
			// Without a version in its address: the service says itself how long it may be kept.
			// phpcs:ignore WordPress.WP.EnqueuedResourceParameters.MissingVersion
			wp_register_script( INTRESSE_SCRIPT, intresse_settings()['service'] . '/embed.js', array(), null, true );
		}
	}
);

add_filter(
	'script_loader_tag',
	static function ( $tag, $handle ) {
		if ( INTRESSE_SCRIPT !== $handle ) {
			return $tag;
		}
		$more = intresse_settings()['remember'] ? ' async data-remember="session"' : ' async';
		return str_replace( ' src=', $more . ' src=', $tag );
	},
	10,
	2
);

add_shortcode(
	'intresse',
	static function ( $attributes ) {
		return intresse_render( is_array( $attributes ) ? $attributes : array(), (int) get_the_ID() );
	}
);
